import { defineConfig } from "vite";

import { fontFiles } from "./build/font_files.ts";
import { licenses } from "./build/licenses.ts";

/**
 * The server serves the built page for a browser's `GET /graphql` and the rest under `/static/`.
 *
 * Nothing is inlined, so that the page runs under a policy that names only its own origin.
 */
export default defineConfig({
  base: "/static/",
  plugins: [fontFiles(), licenses()],
  build: {
    outDir: "../bff/static",
    emptyOutDir: true,
    assetsInlineLimit: 0,
    modulePreload: { polyfill: false },
    sourcemap: false,
    target: "es2023",
    rolldownOptions: { checks: { moduleLevelDirective: false } }, // "use client" means nothing here
    chunkSizeWarningLimit: 4000, // Monaco is as large as it is
  },
});
