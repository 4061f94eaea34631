// Writes the bundled dashboards, which are made of code, to where the build takes them from.
import { mkdirSync, writeFileSync } from "node:fs";
import path from "node:path";
import { fileURLToPath } from "node:url";
import { fleet } from "../dashboards/fleet";
import { oneSite } from "../dashboards/site";

const directory = fileURLToPath(new URL("../src/dashboards", import.meta.url));
mkdirSync(directory, { recursive: true });
for (const [name, dashboard] of [
  ["fleet", fleet()],
  ["site", oneSite()],
] as const)
  writeFileSync(path.join(directory, `${name}.json`), `${JSON.stringify(dashboard, null, 2)}\n`);
