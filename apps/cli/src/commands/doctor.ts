import { existsSync } from "node:fs";
import path from "node:path";
import { Command } from "commander";
import { type Cli, say, write } from "../cli.ts";
import { dataDirectory, dataDirOption, embeddedFolder, withDatabase } from "../database-place.ts";
import { bad, type Check, skipped } from "../doctor/check.ts";
import { collectorChecks } from "../doctor/collector-checks.ts";
import { databaseChecks } from "../doctor/database-checks.ts";
import { diskChecks } from "../doctor/disk-checks.ts";
import type { Login } from "../login-file.ts";
import { exitCodes, Problem } from "../problem.ts";
import { fieldLines, printJson } from "../rows.ts";
import { findLogin } from "../session.ts";

const marks: Readonly<Record<Check["state"], string>> = { ok: "ok", warning: "warning", bad: "BAD", skipped: "-" };

async function checkDatabase(cli: Cli, dataDir: string): Promise<Check[]> {
  const folder = embeddedFolder(cli, dataDir);
  if (folder !== null && !existsSync(path.join(folder, "lynceus.json")))
    return [
      skipped("database", `none in "${dataDir}": on the machine that has it use --data-dir, or set DATABASE_URL`),
    ];
  const { databaseHealth } = await import("@lynceus/db/health");
  try {
    return databaseChecks(await withDatabase(cli, dataDir, (url) => databaseHealth(url)), cli.now());
  } catch (error) {
    if (!(error instanceof Problem)) throw error;
    return [bad("database", error.message, "start it, or correct DATABASE_URL; its own log says more")];
  }
}

export const doctorCommand = (cli: Cli) =>
  new Command("doctor")
    .summary("look at everything, and say what to do")
    .description(
      "Looks at the collector that one is logged in to (port, certificate, readiness, token, clock, versions) and, on its machine or with DATABASE_URL, at the database, the disk and the secrets. Exit code 1 when something is bad.",
    )
    .addOption(dataDirOption())
    .option("--json", "for a program")
    .addHelpText(
      "after",
      "\nExamples:\n  lynceus doctor\n  lynceus doctor --data-dir ~/lynceus\n  DATABASE_URL=postgresql://lynceus:secret@db.example.org/lynceus lynceus doctor --json",
    )
    .action(async (options: { dataDir?: string; json?: boolean }) => {
      const dataDir = dataDirectory(cli, options.dataDir);
      const checks: Check[] = [];
      let login: Login | null = null;
      try {
        login = findLogin(cli);
        checks.push(...(await collectorChecks(cli, login)));
      } catch (error) {
        if (!(error instanceof Problem)) throw error;
        checks.push(bad("login", error.message, "lynceus login"));
      }
      checks.push(...(await checkDatabase(cli, dataDir)), ...diskChecks(dataDir));
      const counts = { bad: 0, warning: 0, ok: 0, skipped: 0 };
      for (const { state } of checks) counts[state]++;
      if (options.json) await printJson(cli, { ...counts, checks });
      else {
        const lines = fieldLines(checks.map(({ name, state, text }) => [`${marks[state].padEnd(7)}  ${name}`, text]));
        const shown = lines.flatMap((line, index) => {
          const { todo } = checks[index] as Check;
          return todo === undefined ? [line] : [line, `         → ${todo}`];
        });
        await write(cli, `${shown.join("\n")}\n`);
      }
      if (counts.bad > 0) throw new Problem(`${counts.bad} bad, ${counts.warning} to look at`, exitCodes.failed);
      say(cli, counts.warning > 0 ? `${counts.warning} to look at` : "nothing to do");
    });
