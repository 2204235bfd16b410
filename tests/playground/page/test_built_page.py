"""The page in the repository is built from the sources next to it, and loads nothing from other hosts."""

from __future__ import annotations

import hashlib
import json
import re
from collections.abc import Iterable
from pathlib import Path

ROOT = Path(__file__).parents[3]
WEB = ROOT / "playground" / "web"
STATIC = ROOT / "playground" / "static"

SOURCES = ("index.html", "package-lock.json", "package.json", "public", "src", "tsconfig.json", "vite.config.ts")


def files(root: Path, names: Iterable[str]) -> list[Path]:
    found = [root / name for name in names]
    return [path for it in found for path in (it.rglob("*") if it.is_dir() else [it]) if path.is_file()]


def digest(root: Path, paths: Iterable[Path]) -> str:
    """Of each file in the order of its path: the path, a zero, its bytes, a zero (seal.mjs does the same)."""
    whole = hashlib.sha256()
    for name, path in sorted((path.relative_to(root).as_posix(), path) for path in paths):
        whole.update(name.encode() + b"\0" + path.read_bytes() + b"\0")
    return whole.hexdigest()


def test_the_committed_page_was_built_from_its_sources():
    """To fix it: `make web`."""
    built = [path for path in files(STATIC, ["."]) if path.name != "SOURCE"]
    sealed = f"source {digest(WEB, files(WEB, SOURCES))}\nbuilt {digest(STATIC, built)}\n"
    assert (STATIC / "SOURCE").read_text() == sealed


def test_the_page_requests_no_other_host_for_anything():
    html = (STATIC / "index.html").read_text()
    styles = "".join(path.read_text() for path in STATIC.glob("assets/*.css"))
    assert re.findall(r"""(?:src|href)=["'](?!/assets/)[^"']*""", html) == []
    assert re.findall(r"url\((?![\"']?/assets/)[^)]*\)|@import", styles) == []


def test_the_built_page_has_no_trace_of_the_build_machine():
    for path in files(STATIC, ["."]):
        text = path.read_bytes()
        assert not re.search(rb"sourceMappingURL|/home/|node_modules/\.|file://", text), path
        assert str(Path.cwd()).encode() not in text, path


def test_the_lock_names_every_package_with_its_hash_and_no_registry():
    lock = json.loads((WEB / "package-lock.json").read_text())
    packages = {name: facts for name, facts in lock["packages"].items() if name}
    assert len(packages) > 50
    assert [name for name, facts in packages.items() if "resolved" in facts or not facts.get("integrity")] == []


def test_every_package_of_the_page_is_pinned():
    package = json.loads((WEB / "package.json").read_text())
    wanted = package["dependencies"] | package["devDependencies"]
    assert [name for name, version in wanted.items() if not re.fullmatch(r"\d+\.\d+\.\d+", version)] == []
