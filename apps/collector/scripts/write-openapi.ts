// Writes the OpenAPI document of this version to the file that is named. No database is needed: nothing is asked.
import { writeFileSync } from "node:fs";
import { pino } from "pino";
import pkg from "../package.json" with { type: "json" };
import { type AppOptions, createApp } from "../src/api/app.ts";
import { defaultConfig } from "../src/config.ts";
import { createMetrics } from "../src/metrics/metrics.ts";

const [file] = process.argv.slice(2);
if (!file) throw new Error("name the file to write, e.g. openapi.json");
// What only answers need is left out.
const options = {
  db: {},
  config: defaultConfig,
  metrics: createMetrics({ version: pkg.version, topSites: 0 }),
  log: pino({ level: "silent" }),
  version: pkg.version,
  tls: null,
} as unknown as AppOptions;
const app = await createApp(options);
await app.ready();
writeFileSync(file, `${JSON.stringify(app.swagger(), null, 2)}\n`);
await app.close();
