import { readFileSync, statSync } from "node:fs";
import path from "node:path";
import { text as readAll } from "node:stream/consumers";
import type { Cli } from "./cli.ts";
import { usageProblem } from "./problem.ts";

const maxBytes = 16 * 1024 * 1024;

/** A file's text, or of standard input for `-`. @throws Problem that names it */
export async function readInput(cli: Cli, file: string): Promise<string> {
  if (file === "-") return readAll(cli.stdin);
  const at = path.resolve(cli.cwd, file);
  try {
    const { size } = statSync(at);
    if (size > maxBytes) throw usageProblem(`"${file}" has ${size} bytes; at most ${maxBytes} are read`);
    return readFileSync(at, "utf8");
  } catch (error) {
    const { code } = error as NodeJS.ErrnoException;
    if (!code) throw error;
    throw usageProblem(`"${file}" cannot be read: ${code}; name a file, or - for standard input`);
  }
}
