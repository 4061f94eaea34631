import { chmod, readFile, rm } from "node:fs/promises";
import { join } from "node:path";
import { build } from "esbuild";

const { version } = JSON.parse(await readFile(new URL("package.json", import.meta.url), "utf8"));
const outdir = join(import.meta.dirname, "dist");

// Split where it imports on demand, so that it starts quickly: a shell asks it for every completion.
await rm(outdir, { recursive: true, force: true });
await build({
  absWorkingDir: import.meta.dirname,
  entryPoints: { lynceus: "src/main.ts" },
  outdir,
  outExtension: { ".js": ".mjs" },
  chunkNames: "parts/[name]-[hash]",
  splitting: true,
  bundle: true,
  platform: "node",
  target: "node20.19",
  format: "esm",
  sourcemap: true,
  minifySyntax: true,
  define: { LYNCEUS_VERSION: JSON.stringify(version) },
  external: ["pg-native"],
  // Some of the packages are CommonJS and call require.
  banner: {
    js: '#!/usr/bin/env node\nimport { createRequire as lynceusRequire } from "node:module"; import { dirname as lynceusDirname } from "node:path"; import { fileURLToPath as lynceusPath } from "node:url"; const require = lynceusRequire(import.meta.url); const __filename = lynceusPath(import.meta.url); const __dirname = lynceusDirname(__filename);',
  },
  logLevel: "warning",
});
await chmod(join(outdir, "lynceus.mjs"), 0o755);
