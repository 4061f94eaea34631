import { createHash } from "node:crypto";
import { Transform } from "node:stream";
import { buffer } from "node:stream/consumers";
import { pipeline } from "node:stream/promises";
import { promisify } from "node:util";
import { type BackupManifest, backupManifestSchema } from "@lynceus/protocol/backup";
import yauzl from "yauzl";
import { DatabaseError } from "./connection.ts";

/** A backup that is opened to be read. */
export interface BackupFile {
  readonly manifest: BackupManifest;
  /** Passes a table's rows on. @throws DatabaseError when they are not those that were written */
  readTable(name: string, output: NodeJS.WritableStream): Promise<void>;
  readKey(name: string): Promise<Buffer>;
  /** Reads all of it. @throws DatabaseError that names what is damaged */
  check(): Promise<void>;
  close(): void;
}

const open = promisify<string, yauzl.Options, yauzl.ZipFile>(yauzl.open);

/** Names and where they are; nothing of the contents is read. */
function entriesOf(zip: yauzl.ZipFile): Promise<Map<string, yauzl.Entry>> {
  return new Promise((resolve, reject) => {
    const entries = new Map<string, yauzl.Entry>();
    zip.on("entry", (entry: yauzl.Entry) => {
      entries.set(entry.fileName, entry);
      zip.readEntry();
    });
    zip.on("end", () => resolve(entries));
    zip.on("error", reject);
    zip.readEntry();
  });
}

/** Lets through what was written, and nothing else. */
function sealed(name: string, expected: { readonly sha256: string; readonly bytes?: number }): Transform {
  const hash = createHash("sha256");
  return new Transform({
    transform(chunk: Buffer, _encoding, done) {
      hash.update(chunk);
      done(null, chunk);
    },
    flush(done) {
      const whole = hash.digest("hex") === expected.sha256;
      done(whole ? null : new DatabaseError(`the backup is damaged: ${name} is not what was written`));
    },
  });
}

const damaged = (path: string, why: string) =>
  new DatabaseError(`${path} is no backup of Lynceus that can be read: ${why}`);

/** Opens a backup. @throws DatabaseError of one line when it is none, is cut short, or is of a later format */
export async function openBackup(path: string): Promise<BackupFile> {
  let zip: yauzl.ZipFile;
  let entries: Map<string, yauzl.Entry>;
  try {
    zip = await open(path, { lazyEntries: true, autoClose: false });
    entries = await entriesOf(zip);
  } catch (error) {
    throw damaged(path, error instanceof Error ? error.message : String(error));
  }
  const stream = async (name: string) => {
    const entry = entries.get(name);
    if (!entry) throw damaged(path, `it has no ${name}`);
    return promisify(
      zip.openReadStream.bind(zip) as (
        entry: yauzl.Entry,
        done: (error: Error | null, stream: NodeJS.ReadableStream) => void,
      ) => void,
    )(entry);
  };
  const nowhere = () => new Transform({ transform: (_chunk, _encoding, done) => done() }).resume();
  try {
    const said: unknown = JSON.parse((await buffer(await stream("manifest.json"))).toString("utf8"));
    const format = (said as { format?: unknown } | null)?.format;
    if (typeof format === "number" && format > 1)
      throw damaged(path, `its format ${format} is a later one; update Lynceus`);
    const parsed = backupManifestSchema.safeParse(said);
    if (!parsed.success)
      throw damaged(
        path,
        `manifest.json, ${parsed.error.issues[0]?.path.join(".")}: ${parsed.error.issues[0]?.message}`,
      );
    const manifest = parsed.data;

    const readTable = async (name: string, output: NodeJS.WritableStream): Promise<void> => {
      const table = manifest.tables.find((one) => one.name === name);
      if (!table) throw damaged(path, `it has no table ${name}`);
      await pipeline(await stream(`tables/${name}.copy`), sealed(`table ${name}`, table), output);
    };
    const readKey = async (name: string): Promise<Buffer> => {
      const key = manifest.keys.find((one) => one.name === name);
      if (!key) throw damaged(path, `it has no key ${name}`);
      const checked = sealed(`key ${name}`, key);
      const [content] = await Promise.all([buffer(checked), pipeline(await stream(`keys/${name}`), checked)]);
      return content;
    };
    return {
      manifest,
      readTable,
      readKey,
      async check() {
        for (const { name } of manifest.tables) await readTable(name, nowhere());
        for (const { name } of manifest.keys) await readKey(name);
      },
      close: () => zip.close(),
    };
  } catch (error) {
    zip.close();
    throw error instanceof DatabaseError
      ? error
      : damaged(path, error instanceof Error ? error.message : String(error));
  }
}
