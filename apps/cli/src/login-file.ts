import { chmodSync, mkdirSync, readFileSync, renameSync, rmSync, statSync, writeFileSync } from "node:fs";
import { homedir } from "node:os";
import path from "node:path";
import * as z from "zod";
import type { Cli } from "./cli.ts";
import { exitCodes, Problem } from "./problem.ts";

const loginSchema = z.strictObject({
  url: z.string(),
  token: z.string(),
  /** PEM of the authority that the collector's certificate is verified by, beside those of the system. */
  ca: z.string().nullable(),
});
/** How to reach a collector, and as whom. */
export type Login = z.infer<typeof loginSchema>;

/** `LYNCEUS_CONFIG_DIR`, else the place that the system has for it. */
export function configDirectory(env: Cli["env"], platform = process.platform): string {
  if (env.LYNCEUS_CONFIG_DIR) return env.LYNCEUS_CONFIG_DIR;
  if (platform === "win32" && env.APPDATA) return path.join(env.APPDATA, "lynceus");
  return path.join(env.XDG_CONFIG_HOME || path.join(env.HOME || homedir(), ".config"), "lynceus");
}

export const loginFile = (env: Cli["env"]): string => path.join(configDirectory(env), "login.json");

/** Keeps it for the next command, readable by its owner alone. */
export function saveLogin(env: Cli["env"], login: Login): string {
  const file = loginFile(env);
  mkdirSync(path.dirname(file), { recursive: true, mode: 0o700 });
  const temporary = `${file}.${process.pid}`;
  writeFileSync(temporary, `${JSON.stringify(login, null, 2)}\n`, { mode: 0o600 });
  chmodSync(temporary, 0o600);
  renameSync(temporary, file);
  return file;
}

/** False when there was none. */
export function forgetLogin(env: Cli["env"]): boolean {
  const file = loginFile(env);
  if (!statSync(file, { throwIfNoEntry: false })) return false;
  rmSync(file);
  return true;
}

/** What was kept, or null. @throws Problem when the file is damaged, or others may read it */
export function readLogin(env: Cli["env"]): Login | null {
  const file = loginFile(env);
  const found = statSync(file, { throwIfNoEntry: false });
  if (!found) return null;
  if (process.platform !== "win32" && (found.mode & 0o077) !== 0)
    throw new Problem(
      `"${file}" holds a token and may be read by others; make it yours alone: chmod 600 ${file}`,
      exitCodes.access,
    );
  try {
    return loginSchema.parse(JSON.parse(readFileSync(file, "utf8")));
  } catch {
    throw new Problem(`"${file}" is damaged; log in again: lynceus login`, exitCodes.access);
  }
}
