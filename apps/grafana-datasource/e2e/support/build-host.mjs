// Bundles the page of e2e/host with Grafana's packages into one script. Their CommonJS builds, since the ES ones name what
// the other packages do not have.
import { createRequire } from "node:module";
import path from "node:path";
import { fileURLToPath } from "node:url";
import { build } from "esbuild";

const folder = fileURLToPath(new URL("..", import.meta.url));

/** Writes host.js and host.css into a folder. */
export const buildHost = (outdir) =>
  build({
    entryPoints: { host: path.join(folder, "host/main.tsx") },
    bundle: true,
    format: "iife",
    platform: "browser",
    outdir,
    logLevel: "error",
    define: { "process.env.NODE_ENV": '"production"', "process.env": "{}", global: "window" },
    loader: { ".svg": "dataurl", ".png": "dataurl", ".ttf": "dataurl", ".woff": "dataurl", ".woff2": "dataurl" },
    plugins: [
      {
        name: "commonjs-of-grafana",
        setup({ onResolve }) {
          onResolve({ filter: /^@grafana\// }, ({ path: name, importer }) => ({
            path: createRequire(importer).resolve(name),
          }));
        },
      },
    ],
  });
