// `npm run seed`: a fleet with its history, to see and to measure the product at size. See docs/benchmarks.md, "pages".
import { mkdirSync } from "node:fs";
import path from "node:path";
import { parseArgs } from "node:util";
import { openDatabase } from "@lynceus/db/client";
import { startEmbeddedPostgres } from "@lynceus/db/embedded";
import { migrate } from "@lynceus/db/migrate";
import { seedFleet } from "./seed.ts";

const help = `npm run seed -- [options]

  Fills an empty database with a simulated fleet and its history, for looking at it and for measuring.

  --machines N        default 100000
  --days N            of history, default 30
  --open-findings N   default 5000
  --seed N            the same seed makes the same fleet, default 1
  --data-dir DIR      embedded PostgreSQL as \`npm run up -- --data-dir DIR\` uses it, default .lynceus-seeded

  DATABASE_URL        use this PostgreSQL (14 or newer) instead of the embedded one`;

const { values } = parseArgs({
  options: {
    machines: { type: "string", default: "100000" },
    days: { type: "string", default: "30" },
    "open-findings": { type: "string", default: "5000" },
    seed: { type: "string", default: "1" },
    "data-dir": { type: "string", default: ".lynceus-seeded" },
    help: { type: "boolean" },
  },
});

function whole(name: "machines" | "days" | "open-findings" | "seed", most: number): number {
  const value = Number(values[name]);
  if (/^\d+$/.test(values[name]) && value >= 1 && value <= most) return value;
  process.stderr.write(
    `--${name} "${values[name]}" is not a whole number from 1 to ${most}; use e.g. --${name} ${most}\n`,
  );
  process.exit(2);
}

if (values.help) {
  process.stdout.write(`${help}\n`);
  process.exit(0);
}
const options = {
  machines: whole("machines", 1_000_000),
  days: whole("days", 90),
  openFindings: whole("open-findings", 1_000_000),
  seed: whole("seed", 1_000_000),
  now: new Date(),
};
const log = (line: string) => process.stdout.write(`  ${line}\n`);
const began = performance.now();
const own = process.env.DATABASE_URL;
const dataDirectory = path.resolve(process.env.INIT_CWD ?? process.cwd(), values["data-dir"], "postgres");
if (!own) mkdirSync(path.dirname(dataDirectory), { recursive: true, mode: 0o700 });
const postgres = own ? null : await startEmbeddedPostgres({ dataDirectory });
const url = own ?? postgres?.url ?? "";
try {
  await migrate(url);
  const db = openDatabase({ url });
  const { machines, openFindings, bytes } = await seedFleet(db, options, log);
  await db.close();
  log(
    `done: ${machines.toLocaleString("en")} machines, ${openFindings.toLocaleString("en")} open findings, ${options.days} days, ${Math.round(bytes / 1_048_576).toLocaleString("en")} MB in ${((performance.now() - began) / 1000).toFixed(0)} s`,
  );
} catch (error) {
  process.stderr.write(`lynceus: ${error instanceof Error ? error.message.split("\n")[0] : String(error)}\n`);
  process.exitCode = 1;
} finally {
  await postgres?.stop();
}
