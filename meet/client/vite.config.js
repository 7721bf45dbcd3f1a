import { defineConfig } from "vite";

// Names without hashes: the wizard's pages, drawn on the box, name these files as well.
export default defineConfig({
  base: "/",
  build: {
    target: "es2022",
    assetsInlineLimit: 0,
    modulePreload: { polyfill: false },
    rollupOptions: {
      input: { room: "test/index.html", kern: "src/kern.css", progress: "src/progress.ts" },
      output: {
        entryFileNames: "assets/[name].js",
        chunkFileNames: "assets/[name].js",
        assetFileNames: "assets/[name][extname]",
      },
    },
  },
});
