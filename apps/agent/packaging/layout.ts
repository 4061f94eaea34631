import { execFileSync } from "node:child_process";
import { readFileSync } from "node:fs";
import { dirname, join } from "node:path";
import { fileURLToPath } from "node:url";

/** This folder, the agent's package, and the repository. */
export const packaging = dirname(fileURLToPath(import.meta.url));
export const agent = dirname(packaging);
export const root = dirname(dirname(agent));

export const { version } = JSON.parse(readFileSync(join(agent, "package.json"), "utf8")) as { version: string };

/** The time that all artefacts carry: SOURCE_DATE_EPOCH, else that of the commit. Seconds since 1970. */
export function sourceDate(environment: NodeJS.ProcessEnv): number {
  const given = environment.SOURCE_DATE_EPOCH;
  if (given !== undefined) {
    if (!/^\d{1,10}$/.test(given))
      throw new Error(`SOURCE_DATE_EPOCH "${given}" is not a number of seconds; use e.g. 1767225600`);
    return Number(given);
  }
  const options = { cwd: root, encoding: "utf8" } as const;
  return Number(execFileSync("git", ["log", "-1", "--format=%ct"], options).trim());
}
