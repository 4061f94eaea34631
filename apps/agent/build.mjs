// `node build.mjs [DIRECTORY]`. Bundles the agent into dist/ or the given directory: main.js, the process that
// runs proxy scripts (pac-child.js) and its engine. Nothing of node_modules is needed beside them.
import { copyFile, mkdir, writeFile } from "node:fs/promises";
import { createRequire } from "node:module";
import { dirname, join } from "node:path";
import { fileURLToPath } from "node:url";
import { build } from "esbuild";

const here = dirname(fileURLToPath(import.meta.url));
const require = createRequire(import.meta.url);
const { version } = require("./package.json");
const dist = process.argv[2] ?? join(here, "dist");

await mkdir(dist, { recursive: true });
await build({
  absWorkingDir: here,
  entryPoints: { main: "src/main.ts", "pac-child": fileURLToPath(import.meta.resolve("@lynceus/pac/child-main")) },
  outdir: dist,
  bundle: true,
  platform: "node",
  target: "node20.19",
  format: "esm",
  minifySyntax: true,
  legalComments: "none",
  logLevel: "warning",
  define: { LYNCEUS_AGENT_VERSION: JSON.stringify(version) },
  // ws is CommonJS and requires Node's own modules.
  banner: {
    js: 'import { createRequire as createRequireOfBundle } from "node:module"; const require = createRequireOfBundle(import.meta.url);',
  },
  // Native accelerators of ws: absent, and it works without.
  external: ["bufferutil", "utf-8-validate"],
});
const pac = createRequire(import.meta.resolve("@lynceus/pac/engine"));
await copyFile(join(dirname(pac.resolve("quickjs-wasi")), "..", "quickjs.wasm"), join(dist, "quickjs.wasm"));
// Copied anywhere, the bundle is still read as modules.
await writeFile(join(dist, "package.json"), '{ "type": "module" }\n');
