import { createWriteStream, existsSync, mkdirSync, renameSync, rmSync, statSync } from "node:fs";
import path from "node:path";
import { formatCount } from "@lynceus/protocol/present";
import { Command } from "commander";
import { formatBytes } from "../bytes.ts";
import { type Cli, say } from "../cli.ts";
import { dataDirectory, dataDirOption, withDatabase } from "../database-place.ts";
import { keyFiles, requireNoKeys, writeKey } from "../key-files.ts";
import { Problem, usageProblem } from "../problem.ts";
import { printJson } from "../rows.ts";

const stamp = (now: number) => new Date(now).toISOString().slice(0, 16).replaceAll(/[-:]/g, "").replace("T", "-");

interface BackupArguments {
  dataDir?: string;
  keys: boolean;
  json?: boolean;
}

export const backupCommand = (cli: Cli) =>
  new Command("backup")
    .summary("save everything to one file, while it runs")
    .description(
      "Saves the database as it is at one moment, while everything goes on, and the secret keys beside it: of DATABASE_URL, or the embedded one. The file is a zip, readable by you alone, and as secret as the installation.",
    )
    .argument("[file]", "e.g. lynceus-20261127-0300.zip, which is also its name when absent")
    .addOption(dataDirOption())
    .option("--no-keys", "the database alone: keep the keys of the data folder elsewhere")
    .option("--json", "what was saved, for a program")
    .addHelpText(
      "after",
      "\nExamples:\n  lynceus backup --data-dir ~/lynceus /backup/lynceus.zip\n  DATABASE_URL=postgresql://lynceus:secret@db.example.org/lynceus lynceus backup --data-dir /var/lib/lynceus",
    )
    .action(async (file: string | undefined, options: BackupArguments) => {
      const target = path.resolve(cli.cwd, file ?? `lynceus-${stamp(cli.now())}.zip`);
      if (existsSync(target))
        throw usageProblem(`"${target}" is there already; a backup overwrites nothing: use another name`);
      if (!existsSync(path.dirname(target))) throw usageProblem(`"${path.dirname(target)}" is no folder`);
      const dataDir = dataDirectory(cli, options.dataDir);
      const keys = options.keys ? keyFiles(dataDir) : [];
      const { writeBackup } = await import("@lynceus/db/backup");
      const partial = `${target}.partial`;
      try {
        const manifest = await withDatabase(cli, dataDir, (url) =>
          writeBackup({
            url,
            output: createWriteStream(partial, { mode: 0o600 }),
            version: cli.version,
            now: new Date(cli.now()),
            keys,
          }),
        );
        renameSync(partial, target);
        const rows = manifest.tables.reduce((sum, table) => sum + table.rows, 0);
        const { size } = statSync(target);
        if (options.json) await printJson(cli, { file: target, bytes: size, rows, keys: keys.map(({ name }) => name) });
        say(
          cli,
          `saved ${formatCount(rows)} rows of ${manifest.tables.length} tables and ${keys.length} keys: ${target}, ${formatBytes(size)}`,
        );
        if (keys.length === 0 && options.keys)
          say(
            cli,
            `no keys were found in "${dataDir}"; where the collector keeps its own, name that folder: --data-dir /data`,
          );
      } catch (error) {
        rmSync(partial, { force: true });
        throw error;
      }
    });

interface RestoreArguments {
  dataDir?: string;
  keys: boolean;
  check?: boolean;
}

export const restoreCommand = (cli: Cli) =>
  new Command("restore")
    .summary("bring a backup into an empty database")
    .description(
      "Brings a backup into an empty database and to this version, and its keys into the data folder. Nothing is overwritten; what fails leaves the database as empty as it was. Stop collectors and dashboards first.",
    )
    .argument("<file>", "as lynceus backup made it")
    .addOption(dataDirOption())
    .option("--no-keys", "the database alone")
    .option("--check", "read all of it, compare the sums, and change nothing")
    .addHelpText(
      "after",
      "\nExamples:\n  lynceus restore /backup/lynceus.zip --check\n  lynceus restore /backup/lynceus.zip --data-dir ~/lynceus-new\n  DATABASE_URL=postgresql://lynceus:secret@db.example.org/lynceus_new lynceus restore /backup/lynceus.zip --data-dir /var/lib/lynceus",
    )
    .action(async (file: string, options: RestoreArguments) => {
      const source = path.resolve(cli.cwd, file);
      const dataDir = dataDirectory(cli, options.dataDir);
      const { openBackup } = await import("@lynceus/db/backup-file");
      const { restoreBackup } = await import("@lynceus/db/restore");
      const { DatabaseError } = await import("@lynceus/db/connection");
      const opened = await openBackup(source).catch((error: unknown) => {
        throw error instanceof DatabaseError ? new Problem(error.message) : error;
      });
      try {
        const { manifest } = opened;
        const what = `${manifest.tables.length} tables of ${manifest.createdAt}, Lynceus ${manifest.version}`;
        if (options.check) {
          await opened.check().catch((error: unknown) => {
            throw error instanceof DatabaseError ? new Problem(error.message) : error;
          });
          return say(cli, `whole: ${what}`);
        }
        const names = options.keys ? manifest.keys.map(({ name }) => name) : [];
        requireNoKeys(dataDir, names);
        if (!cli.env.DATABASE_URL) mkdirSync(dataDir, { recursive: true, mode: 0o700 });
        await withDatabase(cli, dataDir, (url) => restoreBackup({ url, file: source }), { create: true });
        for (const name of names) writeKey(dataDir, name, await opened.readKey(name));
        say(cli, `restored ${what}${names.length > 0 ? `, and ${names.length} keys in ${dataDir}` : ""}`);
      } finally {
        opened.close();
      }
    });
