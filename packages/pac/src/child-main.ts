import { readFileSync } from "node:fs";
import { createRequire } from "node:module";
import { dirname, join } from "node:path";
import { pacChild } from "./child.ts";

/** The engine lies beside the bundle; in the source tree its package finds it. */
const engine = import.meta.url.endsWith(".ts")
  ? join(dirname(createRequire(import.meta.url).resolve("quickjs-wasi")), "../quickjs.wasm")
  : new URL("./quickjs.wasm", import.meta.url);

await pacChild(readFileSync(engine));
