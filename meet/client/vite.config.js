import react from "@vitejs/plugin-react";
import { defineConfig } from "vite";

// Names without hashes: the wizard's pages, drawn on the box, name these files as well.
export default defineConfig({
  base: "/",
  plugins: [react()],
  worker: {
    format: "es",
    rollupOptions: { output: { entryFileNames: "assets/[name].js" } },
  },
  build: {
    target: "es2022",
    assetsInlineLimit: 0,
    // LiveKit's client is one package of half a megabyte; a meeting needs it whole.
    chunkSizeWarningLimit: 900,
    modulePreload: { polyfill: false },
    rollupOptions: {
      input: {
        visit: "m/index.html",
        staff: "rooms/index.html",
        start: "src/start.ts",
        room: "test/index.html",
        kern: "src/kern.css",
        progress: "src/progress.ts",
        proof: "src/proof.ts",
      },
      output: {
        entryFileNames: "assets/[name].js",
        chunkFileNames: "assets/[name].js",
        assetFileNames: "assets/[name][extname]",
        manualChunks(id) {
          if (/node_modules\/(@livekit|livekit-client)\//.test(id)) return "livekit";
          if (/node_modules\/(react|react-dom|scheduler|i18next|react-i18next)\//.test(id)) return "react";
          if (/\/src\/(api|parts|texts)\//.test(id)) return "pages";
          return undefined;
        },
      },
    },
  },
});
