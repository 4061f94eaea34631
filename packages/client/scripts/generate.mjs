// Writes src/generated/schema.ts: the types of every path of the API, from the document that the collector makes of itself.
import { spawnSync } from "node:child_process";
import { mkdirSync, readFileSync, writeFileSync } from "node:fs";
import path from "node:path";
import { fileURLToPath } from "node:url";
import openapiTs, { astToString } from "openapi-typescript";

const root = fileURLToPath(new URL("../../..", import.meta.url));
const generated = fileURLToPath(new URL("../src/generated", import.meta.url));
const document = path.join(generated, "openapi.json");
mkdirSync(generated, { recursive: true });
const { status } = spawnSync(
  process.execPath,
  ["--import", "tsx", path.join(root, "apps/collector/scripts/write-openapi.ts"), document],
  { cwd: root, stdio: "inherit" },
);
if (status !== 0) process.exit(status ?? 1);
// A default makes a field optional for who sends it, not for who reads it: the document has a schema for each.
const types = await openapiTs(JSON.parse(readFileSync(document, "utf8")), {
  alphabetize: true,
  defaultNonNullable: false,
});
writeFileSync(path.join(generated, "schema.ts"), `// Made by scripts/generate.mjs.\n${astToString(types)}`);
