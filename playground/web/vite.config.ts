import react from "@vitejs/plugin-react";
import { defineConfig } from "vite";

// The same sources and lock file give the same bytes, on every machine: names by content, no source maps, no times.
export default defineConfig({
  plugins: [react()],
  base: "/",
  publicDir: "public",
  build: {
    outDir: process.env.PLAYGROUND_PAGE ?? "../static",
    emptyOutDir: true,
    sourcemap: false,
    target: "es2022",
    modulePreload: { polyfill: false },
    assetsInlineLimit: 0, // "data:" is no source that the page's policy allows
    license: { fileName: "licenses.md" },
    chunkSizeWarningLimit: 2000,
  },
});
