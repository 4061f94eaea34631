import { statfsSync, statSync } from "node:fs";
import path from "node:path";
import { formatBytes } from "../bytes.ts";
import { keyFiles } from "../key-files.ts";
import { bad, type Check, ok, skipped, warning } from "./check.ts";

/** Says what is free means. Pure. */
export function spaceCheck(free: number, whole: number, folder: string): Check {
  const text = `${formatBytes(free)} of ${formatBytes(whole)} are free at "${folder}"`;
  if (free < 1e9 || free < 0.05 * whole)
    return bad(
      "disk",
      text,
      "make room, or keep observations for fewer days: --retention-days (docs/operations/sizing.md)",
    );
  if (free < 5e9 || free < 0.15 * whole)
    return warning("disk", text, "make room before it is full (docs/operations/sizing.md)");
  return ok("disk", text);
}

/** The data folder: room, and who may read its secrets. */
export function diskChecks(dataDir: string): Check[] {
  if (!statSync(dataDir, { throwIfNoEntry: false })) return [skipped("disk", `"${dataDir}" is not on this machine`)];
  const { bavail, bsize, blocks } = statfsSync(dataDir);
  const checks = [spaceCheck(bavail * bsize, blocks * bsize, dataDir)];
  const keys = keyFiles(dataDir);
  const open = process.platform === "win32" ? [] : keys.filter((key) => (statSync(key.path).mode & 0o077) !== 0);
  if (open.length > 0)
    checks.push(
      bad(
        "secrets",
        `${open.map(({ name }) => name).join(", ")} may be read by others`,
        `chmod 600 ${open.map((key) => path.join(dataDir, key.name)).join(" ")}`,
      ),
    );
  else if (keys.length > 0) checks.push(ok("secrets", `${keys.length} files, readable by their owner alone`));
  return checks;
}
