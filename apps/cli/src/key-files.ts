import { existsSync, mkdirSync, writeFileSync } from "node:fs";
import path from "node:path";
import { Problem } from "./problem.ts";

/*
 * Secret files beside the database, relative to the data folder of `npm run up` or of a collector: without them a restored
 * installation has another certificate authority, which no agent knows, and receivers whose secrets nobody can open.
 */
const known = [
  "receivers.secret",
  "session.secret",
  "secret.key",
  "collector/secret.key",
  "tls/authority.pem",
  "collector/tls/authority.pem",
];

export const keyFiles = (dataDir: string): { name: string; path: string }[] =>
  known.map((name) => ({ name, path: path.join(dataDir, ...name.split("/")) })).filter((file) => existsSync(file.path));

/** Those of a backup that may be written, in this order. @throws Problem when one would be overwritten */
export function requireNoKeys(dataDir: string, names: readonly string[]): void {
  for (const name of names) {
    // Names come from a file that somebody gave us.
    if (!known.includes(name)) throw new Problem(`the backup has a key "${name}", which this version does not know`);
    if (existsSync(path.join(dataDir, name)))
      throw new Problem(
        `"${path.join(dataDir, name)}" is there already; a restore overwrites nothing: name a new data folder`,
      );
  }
}

export function writeKey(dataDir: string, name: string, content: Buffer): void {
  const file = path.join(dataDir, name);
  mkdirSync(path.dirname(file), { recursive: true, mode: 0o700 });
  writeFileSync(file, content, { mode: 0o600, flag: "wx" });
}
