import { createHash, randomBytes } from "node:crypto";
import {
  chmodSync,
  chownSync,
  existsSync,
  lstatSync,
  mkdirSync,
  readdirSync,
  readFileSync,
  statSync,
  writeFileSync,
} from "node:fs";
import { tmpdir } from "node:os";
import path from "node:path";
import { DatabaseError } from "./connection.ts";

/** A user to run PostgreSQL as; null: as ourselves. */
export interface RunAs {
  readonly uid: number;
  readonly gid: number;
}

/** Where the files of one embedded server are. */
export interface EmbeddedHome {
  /** Ours, 0700: password file, log of this directory's decisions. It is the `dataDirectory` that the caller named. */
  readonly own: string;
  /** What PostgreSQL's user must reach: `data/`, `run/`, the program. Differs from `own` only where that user may not enter it. */
  readonly server: string;
  /** Socket directory, 0700. */
  readonly sockets: string;
  readonly runAs: RunAs | null;
}

/** Longest socket directory: `sun_path` holds 104 bytes on macOS, 108 on Linux, and `/.s.PGSQL.5432` follows. */
const longestSocketDirectory = 104 - 1 - "/.s.PGSQL.5432".length;

const hashOf = (text: string) => createHash("sha256").update(text).digest("hex").slice(0, 16);

/** Folders for things that a system service owns. */
const systemDirectory = process.platform === "darwin" ? "/Library/Application Support/Lynceus" : "/var/lib/lynceus";

/** PostgreSQL refuses root. initdb looks its user up by name, so it must be one that exists. */
function unprivilegedUser(): RunAs {
  const passwd = readFileSync("/etc/passwd", "utf8").split("\n");
  for (const name of ["postgres", "_postgres", "nobody", "daemon"]) {
    const [, , uid, gid] = passwd.find((line) => line.startsWith(`${name}:`))?.split(":") ?? [];
    if (Number(uid) > 0) return { uid: Number(uid), gid: Number(gid) };
  }
  throw new DatabaseError(
    "PostgreSQL does not run as root, and this system has none of the users postgres, nobody, daemon to run it as; " +
      "start as an ordinary user, or set DATABASE_URL",
  );
}

/** Whether everyone may pass through each folder on the way to `directory`, itself included. */
function isTraversable(directory: string): boolean {
  for (let at = directory; ; at = path.dirname(at)) {
    if ((statSync(at).mode & 0o001) === 0) return false;
    if (at === path.dirname(at)) return true;
  }
}

function makeDirectory(directory: string, mode: number, owner: RunAs | null): void {
  mkdirSync(directory, { recursive: true });
  if (owner) chownSync(directory, owner.uid, owner.gid);
  chmodSync(directory, mode);
}

/** A socket directory in a place that others write to is only used when it is ours alone. */
function makeSocketDirectory(directory: string, owner: RunAs | null): string {
  const uid = owner?.uid ?? process.getuid?.();
  try {
    mkdirSync(directory, { mode: 0o700 });
    if (owner) chownSync(directory, owner.uid, owner.gid);
  } catch (error) {
    const found = lstatSync(directory, { throwIfNoEntry: false });
    if (!found) throw error;
    if (!found.isDirectory() || (uid !== undefined && found.uid !== uid))
      throw new DatabaseError(`socket directory ${directory} belongs to someone else; remove it and start again`);
    chmodSync(directory, 0o700);
  }
  return directory;
}

function socketsFor(server: string, owner: RunAs | null): string {
  const beside = path.join(server, "run");
  if (Buffer.byteLength(beside) <= longestSocketDirectory) return makeSocketDirectory(beside, owner);
  const runtime = process.env.XDG_RUNTIME_DIR;
  const base = owner === null && runtime && runtime.length < 60 ? runtime : tmpdir();
  return makeSocketDirectory(path.join(base, `lynceus-${hashOf(server)}`), owner);
}

/** Refuses a folder that holds something else, before anything is written to it. */
function refuseForeign(directory: string): void {
  const entries = readdirSync(directory);
  if (entries.includes("PG_VERSION"))
    throw new DatabaseError(
      `data directory ${directory} is a bare PostgreSQL data directory (it holds PG_VERSION); name a folder for Lynceus alone, e.g. ${directory}-lynceus`,
    );
  if (entries.length > 0 && !entries.includes("lynceus.json"))
    throw new DatabaseError(
      `data directory ${directory} is not empty and was not made by Lynceus (no lynceus.json); name an empty or a new folder`,
    );
}

/**
 * Makes and checks the folders of an embedded server.
 *
 * As an ordinary user all is in `dataDirectory`. As root PostgreSQL runs as another user (`postgres`, else `nobody`),
 * who must reach its files: when a folder on the way keeps others out (a 0700 home), they live in
 * `/var/lib/lynceus/<hash of the data directory's path>-<random>` instead, and `lynceus.json` in the data directory
 * says so. The folder may be moved; of a copy the original keeps the database.
 */
export function prepareHome(dataDirectory: string): EmbeddedHome {
  const own = path.resolve(dataDirectory);
  // initdb calls the server through a shell, in double quotes.
  const bad = process.platform === "win32" ? null : /["$`\\\n]/.exec(own);
  if (bad)
    throw new DatabaseError(
      `data directory ${JSON.stringify(own)} holds ${JSON.stringify(bad[0])}, which PostgreSQL's tools cannot take; name a folder without it`,
    );
  try {
    mkdirSync(own, { recursive: true });
    refuseForeign(own);
    const isRoot = process.getuid?.() === 0;
    const marker = path.join(own, "lynceus.json");
    const found = readMarker(marker);
    const elsewhere = found?.server.startsWith(systemDirectory + path.sep) ? found.server : null;
    if (found && elsewhere && found.directory !== own && existsSync(path.join(found.directory, "lynceus.json")))
      throw new DatabaseError(
        `data directory ${own} is a copy of ${found.directory}, whose database is in ${elsewhere}; name a new folder`,
      );
    const server = found
      ? (elsewhere ?? own)
      : isRoot && !isTraversable(own)
        ? path.join(systemDirectory, `${hashOf(own)}-${randomBytes(3).toString("hex")}`)
        : own;
    if (found?.directory !== own)
      writeFileSync(marker, `${JSON.stringify({ directory: own, server })}\n`, { mode: 0o600 });
    mkdirSync(server, { recursive: true });
    const runAs = isRoot ? ownerOf(path.join(server, "data")) : null;
    if (server === own) chmodSync(own, isRoot ? 0o711 : 0o700);
    else {
      makeDirectory(path.dirname(server), 0o711, null);
      makeDirectory(server, 0o711, null);
    }
    return { own, server, sockets: socketsFor(server, runAs), runAs };
  } catch (error) {
    if (error instanceof DatabaseError) throw error;
    throw new DatabaseError(`cannot use data directory ${own}: ${error instanceof Error ? error.message : error}`);
  }
}

function readMarker(marker: string): { directory: string; server: string } | null {
  try {
    const { directory, server } = JSON.parse(readFileSync(marker, "utf8")) as Record<string, unknown>;
    return typeof directory === "string" && typeof server === "string" ? { directory, server } : null;
  } catch {
    return null;
  }
}

/** Data that exists keeps its owner; new data gets the user found now. */
function ownerOf(data: string): RunAs {
  const found = statSync(data, { throwIfNoEntry: false });
  return found && found.uid !== 0 ? { uid: found.uid, gid: found.gid } : unprivilegedUser();
}
