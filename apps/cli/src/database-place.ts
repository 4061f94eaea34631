import { existsSync } from "node:fs";
import path from "node:path";
import { Option } from "commander";
import { type Cli, say } from "./cli.ts";
import { exitCodes, Problem } from "./problem.ts";

/* Commands that go to the database itself: on the machine that has it, or with its address. */

export const dataDirOption = () =>
  new Option(
    "--data-dir <folder>",
    "where npm run up, or a collector, keeps its files; with the embedded database, where that is",
  );

/** Where the installation's files are: as given, else `LYNCEUS_DATA_DIR`, else that of `npm run up` in this checkout. */
export function dataDirectory(cli: Cli, given: string | undefined): string {
  const named = given ?? cli.env.LYNCEUS_DATA_DIR;
  return named ? path.resolve(cli.cwd, named) : cli.places.dataDirectory;
}

/** Folder of the embedded database, or null where DATABASE_URL names another one. */
export function embeddedFolder(cli: Cli, dataDir: string): string | null {
  return cli.env.DATABASE_URL ? null : path.join(dataDir, "postgres");
}

/**
 * Gives the address of the database to what is to be done with it: DATABASE_URL, or that of the embedded one, which is
 * used as it runs, and else started for as long as this takes. `create`: where there is none yet, one is made.
 * @throws Problem, with what to do where there is none
 */
export async function withDatabase<T>(
  cli: Cli,
  dataDir: string,
  use: (url: string) => Promise<T>,
  options: { readonly create?: boolean } = {},
): Promise<T> {
  const folder = embeddedFolder(cli, dataDir);
  // Most commands need none of it, and start sooner.
  const { DatabaseError } = await import("@lynceus/db/connection");
  const { startEmbeddedPostgres } = await import("@lynceus/db/embedded");
  try {
    if (folder === null) return await use(cli.env.DATABASE_URL ?? "");
    if (!options.create && !existsSync(path.join(folder, "lynceus.json")))
      throw new Problem(
        `"${dataDir}" holds no database; name its folder, e.g. --data-dir ~/lynceus, or set DATABASE_URL`,
        exitCodes.usage,
      );
    const server = await startEmbeddedPostgres({
      dataDirectory: folder,
      log: (line) => say(cli, line),
    });
    try {
      return await use(server.url);
    } finally {
      await server.stop();
    }
  } catch (error) {
    if (!(error instanceof DatabaseError)) throw error;
    const unreachable = error.code !== null && /^E[A-Z]+$/.test(error.code);
    throw new Problem(error.message, unreachable ? exitCodes.unreachable : exitCodes.failed);
  }
}
