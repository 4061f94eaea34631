import { mkdtempSync, readFileSync, renameSync, rmSync, writeFileSync } from "node:fs";
import { createRequire } from "node:module";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import { getRawAsset, isSea } from "node:sea";

/** Calls into the system's own libraries. Only types come from the package: at run time there is just the addon. */
export type Koffi = typeof import("koffi");

/** The asset of the single executable that holds the addon. */
const asset = "koffi.node";

let loaded: Koffi | null = null;

/**
 * The addon has to be a file to be loaded. It goes beside the executable, where only an administrator can write and
 * where the service, which may, leaves it for everyone; a user who finds none there gets one in a directory of their
 * own. Never a shared temporary directory: somebody else's library could wait there.
 */
function addonFile(): string {
  const wanted = Buffer.from(getRawAsset(asset) as ArrayBuffer);
  const beside = join(dirname(process.execPath), asset);
  try {
    if (readFileSync(beside).equals(wanted)) return beside;
  } catch {
    // Not there yet.
  }
  try {
    const temporary = `${beside}.${process.pid}`;
    writeFileSync(temporary, wanted, { flag: "wx" });
    renameSync(temporary, beside);
    return beside;
  } catch {
    // Read-only, as for an ordinary user.
  }
  const own = mkdtempSync(join(tmpdir(), "lynceus-agent-"));
  process.once("exit", () => rmSync(own, { recursive: true, force: true }));
  const path = join(own, asset);
  writeFileSync(path, wanted, { mode: 0o500 });
  return path;
}

/**
 * koffi, out of the single executable where we are one, else out of its package.
 * @throws Error where neither is to be had: the caller goes on without.
 */
export function loadKoffi(): Koffi {
  if (loaded) return loaded;
  if (!isSea()) {
    loaded = createRequire(import.meta.url)("koffi") as Koffi;
    return loaded;
  }
  const module = { exports: {} };
  process.dlopen(module, addonFile());
  loaded = module.exports as Koffi;
  return loaded;
}
