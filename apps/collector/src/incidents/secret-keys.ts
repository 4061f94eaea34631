import { existsSync, mkdirSync, readFileSync, writeFileSync } from "node:fs";
import path from "node:path";
import { type KeyRing, newSecretKey, parseKeyRing } from "@lynceus/notify/key-ring";

/**
 * The installation's secret keys: LYNCEUS_SECRET_KEY, which the dashboard needs as well; without it a key of this
 * collector's own in its data directory, made once and readable by its owner alone.
 * @throws Error that names the key's place and the rule, never its text
 */
export function loadSecretKeys(options: { readonly secretKey: string | null; readonly dataDir: string }): KeyRing {
  if (options.secretKey !== null) return parseKeyRing(options.secretKey);
  const file = path.join(options.dataDir, "secret.key");
  if (!existsSync(file)) {
    mkdirSync(options.dataDir, { recursive: true, mode: 0o700 });
    writeFileSync(file, `${newSecretKey()}\n`, { mode: 0o600, flag: "wx" });
  }
  return parseKeyRing(readFileSync(file, "utf8"));
}
