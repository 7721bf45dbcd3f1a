import { readFileSync } from "node:fs";
import react from "@vitejs/plugin-react";
import sharp from "sharp";
import { defineConfig } from "vite";

const ICON = "public/assets/icon.svg";
const GROUND = "#0b4f8a"; // the icon's own

/** The icon in pixels, for home screens: as it is; filling its square, for iOS, which rounds the corners;
    and with room around it, for Android, which cuts out a shape. */
function icons() {
  const drawn = (size) => sharp(ICON, { density: 1200 }).resize(size, size);
  const files = {
    "icon-192.png": drawn(192),
    "icon-512.png": drawn(512),
    "icon-180.png": drawn(180).flatten({ background: GROUND }),
    "icon-maskable.png": drawn(410)
      .flatten({ background: GROUND })
      .extend({ top: 51, bottom: 51, left: 51, right: 51, background: GROUND }),
  };
  return {
    name: "icons",
    async generateBundle() {
      for (const [name, picture] of Object.entries(files)) {
        const source = await picture.png().toBuffer();
        this.emitFile({ type: "asset", fileName: `assets/${name}`, source });
      }
    },
  };
}

/** What all pages say of themselves in the same words, and to browsers that cannot show them. */
function frame() {
  const head = readFileSync("src/parts/head.html", "utf8");
  const old = readFileSync("src/parts/old.html", "utf8");
  return {
    name: "frame",
    transformIndexHtml: {
      order: "pre",
      handler: (page) =>
        page
          .replace("<head>\n", (found) => found + head)
          .replace("</body>", (found) => old + found),
    },
  };
}

// Names without hashes: the wizard's pages, drawn on the box, name these files as well.
export default defineConfig({
  base: "/",
  plugins: [react(), frame(), icons()],
  worker: {
    format: "es",
    rollupOptions: { output: { entryFileNames: "assets/[name].js" } },
  },
  build: {
    // The oldest browsers that have what a meeting asks for: old.js looks for it, and the pages name
    // these versions.
    target: ["es2022", "chrome103", "edge103", "firefox105", "safari16"],
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
        reload: "src/reload.ts",
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
