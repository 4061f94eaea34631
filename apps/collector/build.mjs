import { copyFile, mkdir, readFile } from "node:fs/promises";
import { createRequire } from "node:module";
import { dirname, join } from "node:path";
import { fileURLToPath } from "node:url";
import { build } from "esbuild";

const { version } = JSON.parse(await readFile(new URL("package.json", import.meta.url), "utf8"));

// Prisma's query compiler is WebAssembly as base64 in a module, so that one file holds everything.
await build({
  absWorkingDir: import.meta.dirname,
  // The process that runs proposed proxy scripts stands beside the collector's own.
  entryPoints: {
    main: "src/main.ts",
    "pac-child": fileURLToPath(import.meta.resolve("@lynceus/pac/child-main")),
    "tracing-sdk": fileURLToPath(import.meta.resolve("@lynceus/telemetry/sdk")),
  },
  outdir: "dist",
  bundle: true,
  platform: "node",
  target: "node20.19",
  format: "esm",
  sourcemap: true,
  define: { LYNCEUS_VERSION: JSON.stringify(version) },
  plugins: [
    {
      // A file of its own, which is loaded where traces are asked for.
      name: "tracing-sdk",
      setup: (building) =>
        building.onResolve({ filter: /^@lynceus\/telemetry\/sdk$/ }, ({ kind }) =>
          kind === "dynamic-import" ? { path: "./tracing-sdk.js", external: true } : undefined,
        ),
    },
  ],
  // Optional natives that are not installed, and a pg backend that is not used.
  external: ["pg-native", "bufferutil", "utf-8-validate"],
  // Some of the packages are CommonJS and call require.
  banner: {
    js: 'import { createRequire as lynceusRequire } from "node:module"; import { dirname as lynceusDirname } from "node:path"; import { fileURLToPath as lynceusPath } from "node:url"; const require = lynceusRequire(import.meta.url); const __filename = lynceusPath(import.meta.url); const __dirname = lynceusDirname(__filename);',
  },
  logLevel: "warning",
});
const pac = createRequire(import.meta.resolve("@lynceus/pac/engine"));
const engine = join(dirname(pac.resolve("quickjs-wasi")), "..", "quickjs.wasm");
await copyFile(engine, join(import.meta.dirname, "dist", "quickjs.wasm"));

// The API's document to read: files as they are.
const documents = join(dirname(createRequire(import.meta.url).resolve("@fastify/swagger-ui")), "static");
await mkdir(join(import.meta.dirname, "dist", "api-docs"), { recursive: true });
for (const file of ["swagger-ui-bundle.js", "swagger-ui.css", "favicon-32x32.png"])
  await copyFile(join(documents, file), join(import.meta.dirname, "dist", "api-docs", file));
