// Writes static/SOURCE: two digests, of the sources and of what was built from them, by which a test that needs no
// Node sees that the two belong together (tests/playground/page/test_built_page.py says how they are made).
import { createHash } from "node:crypto";
import { readdirSync, readFileSync, statSync, writeFileSync } from "node:fs";
import { join } from "node:path";

const SOURCES = ["index.html", "package-lock.json", "package.json", "public", "src", "tsconfig.json", "vite.config.ts"];

function files(folder, names) {
  return names.flatMap((name) => {
    const path = folder ? `${folder}/${name}` : name;
    return statSync(join(root, path)).isDirectory() ? files(path, readdirSync(join(root, path))) : [path];
  });
}

function digest(names) {
  const hash = createHash("sha256");
  for (const path of names.sort()) hash.update(`${path}\0`).update(readFileSync(join(root, path))).update("\0");
  return hash.digest("hex");
}

let root = import.meta.dirname;
const source = digest(files("", SOURCES));
root = process.argv[2] ?? join(import.meta.dirname, "../static");
const built = digest(files("", readdirSync(root)).filter((name) => name !== "SOURCE"));
writeFileSync(join(root, "SOURCE"), `source ${source}\nbuilt ${built}\n`);
