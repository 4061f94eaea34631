import {
  closeSync,
  fdatasyncSync,
  fsyncSync,
  ftruncateSync,
  mkdirSync,
  openSync,
  readdirSync,
  readFileSync,
  readSync,
  renameSync,
  rmSync,
  writeSync,
} from "node:fs";
import { join } from "node:path";
import { syncDirectory } from "../atomic-file.ts";
import type { Clock } from "../clock.ts";
import { type DroppedEntry, maxAgeOnWire, type Outbox, type OutboxItem, type OutboxStats, toWire } from "./outbox.ts";
import { decodeRecords, encodeRecord } from "./record.ts";

/*
 * Segment files `00000001.seg`, … in one directory. The first record of each is a header that says the epoch, the
 * highest number given and acknowledged so far and what was dropped, so that the newest segment alone restores the
 * outbox. Entries are appended to the newest one; a segment goes as soon as all of it is acknowledged.
 *
 * Durability: an append is handed to the operating system at once (it survives `kill -9`); `sync()` puts it on the
 * platter, and the link calls that before it sends. So a number that the collector has seen is never given again.
 *
 * Bounds: at a limit the oldest confirmations go first, a segment at a time, then the oldest segment whole.
 */

export interface DiskOutboxOptions {
  readonly directory: string;
  readonly clock: Clock;
  readonly newId: () => string;
  /** Bytes on disk, never exceeded by more than one entry. */
  readonly maxBytes?: number;
  /** Entries older than this are dropped, by the machine's uptime where it is known, else by its wall clock. */
  readonly maxAgeMs?: number;
  /** Told of observations that were given up, so that their facts are sent anew. */
  readonly onDropped?: (entries: readonly DroppedEntry[]) => void;
  /** Told of damage that was found and passed over. */
  readonly onDamage?: (what: string) => void;
}

interface Header {
  readonly v: 1;
  readonly epoch: string;
  readonly boot: string;
  readonly seq: number;
  readonly acked: number;
  readonly droppedConfirmations: number;
  readonly droppedObservations: number;
}

/** As stored: number, uptime, item. `b` is the boot where it differs from the segment's. */
interface Stored {
  readonly q: number;
  readonly u: number;
  readonly b?: string;
  readonly i: OutboxItem;
}

/** Parallel arrays: a long outage must cost tens of bytes an entry, not hundreds. */
interface Segment {
  readonly path: string;
  readonly index: number;
  header: Header;
  seqs: number[];
  offsets: number[];
  sizes: number[];
  confirmation: boolean[];
  /** Entries before this index are acknowledged. */
  start: number;
  fileBytes: number;
  newest: { at: number; uptime: number; boot: string } | null;
  oldest: { at: number; uptime: number; boot: string } | null;
}

const isStored = (value: unknown): value is Stored =>
  typeof value === "object" &&
  value !== null &&
  "q" in value &&
  Number.isSafeInteger(value.q) &&
  "u" in value &&
  typeof value.u === "number" &&
  "i" in value &&
  typeof value.i === "object" &&
  value.i !== null &&
  "type" in value.i;

const isHeader = (value: unknown): value is Header =>
  typeof value === "object" &&
  value !== null &&
  "v" in value &&
  value.v === 1 &&
  "epoch" in value &&
  typeof value.epoch === "string" &&
  "seq" in value &&
  Number.isSafeInteger(value.seq);

const parse = (text: string): unknown => {
  try {
    return JSON.parse(text);
  } catch {
    return null;
  }
};

/** Opens the outbox of a directory, which is made where it is missing. @throws Error when the disk refuses. */
export function openDiskOutbox(options: DiskOutboxOptions): Outbox {
  const { directory, clock, newId, onDropped = () => {}, onDamage = () => {} } = options;
  const maxBytes = options.maxBytes ?? 16 * 1024 * 1024;
  const maxAgeMs = options.maxAgeMs ?? 7 * 86_400_000;
  const segmentBytes = Math.min(1024 * 1024, Math.max(1024, Math.floor(maxBytes / 16)));
  /** Below this an acknowledged active segment is not worth a new file. */
  const compactBytes = Math.min(64 * 1024, segmentBytes);

  mkdirSync(directory, { recursive: true, mode: 0o700 });
  let epoch = newId();
  let last = 0;
  let acked = 0;
  let droppedConfirmations = 0;
  let droppedObservations = 0;
  let pendingItems = 0;
  let pendingBytes = 0;
  let segments: Segment[] = [];
  let active: Segment;
  let descriptor = -1;
  let dirty = false;

  function header(): Header {
    return { v: 1, epoch, boot: clock.boot, seq: last, acked, droppedConfirmations, droppedObservations };
  }

  function emptySegment(index: number, content: Header): Segment {
    const path = join(directory, `${String(index).padStart(8, "0")}.seg`);
    const lists = { seqs: [], offsets: [], sizes: [], confirmation: [] };
    return { path, index, header: content, ...lists, start: 0, fileBytes: 0, newest: null, oldest: null };
  }

  function note(segment: Segment, stored: Stored, offset: number, size: number): void {
    segment.seqs.push(stored.q);
    segment.offsets.push(offset);
    segment.sizes.push(size);
    segment.confirmation.push(stored.i.type === "confirmation");
    segment.newest = { at: stored.i.at, uptime: stored.u, boot: stored.b ?? segment.header.boot };
    segment.oldest ??= segment.newest;
  }

  function count(segment: Segment, sign: 1 | -1): void {
    for (let n = segment.start; n < segment.sizes.length; n++) {
      pendingItems += sign;
      pendingBytes += sign * (segment.sizes[n] ?? 0);
    }
  }

  function load(): void {
    const found: Segment[] = [];
    const names = readdirSync(directory).sort();
    for (const name of names) {
      if (name.endsWith(".tmp")) rmSync(join(directory, name), { force: true });
      const match = /^(\d{8,})\.seg$/.exec(name);
      if (!match) continue;
      const path = join(directory, name);
      const bytes = readFileSync(path);
      const { records, validBytes } = decodeRecords(bytes);
      const first = parse(records[0]?.payload ?? "");
      if (!isHeader(first)) {
        // A segment that was being made when the machine stopped, or one whose first block is lost.
        if (bytes.length > 0) onDamage(`${name}: no valid header, ${bytes.length} bytes passed over`);
        rmSync(path, { force: true });
        continue;
      }
      if (validBytes < bytes.length) onDamage(`${name}: ${bytes.length - validBytes} bytes at the end passed over`);
      const segment: Segment = { ...emptySegment(Number(match[1]), first), path, fileBytes: bytes.length };
      for (const record of records.slice(1)) {
        const stored = parse(record.payload);
        if (isStored(stored)) note(segment, stored, record.offset, record.size);
      }
      found.push(segment);
    }
    const newest = found.at(-1);
    if (newest) {
      ({ epoch, acked, droppedConfirmations, droppedObservations } = newest.header);
      last = newest.header.seq;
    }
    for (const segment of found) {
      // Left over from a renewal that was cut short: the newest segment holds all that was pending.
      if (segment.header.epoch !== epoch) rmSync(segment.path, { force: true });
      else {
        last = Math.max(last, segment.seqs.at(-1) ?? 0);
        while ((segment.seqs[segment.start] ?? Number.POSITIVE_INFINITY) <= acked) segment.start++;
        if (segment.start === segment.seqs.length) rmSync(segment.path, { force: true });
        else {
          segments.push(segment);
          count(segment, 1);
        }
      }
    }
    begin((newest?.index ?? 0) + 1);
    makeRoom(0);
    dropAged();
  }

  /** Starts a new active segment and makes its header durable before anything relies on it. */
  function begin(index: number): void {
    const segment = emptySegment(index, header());
    const record = encodeRecord(JSON.stringify(segment.header));
    const opened = openSync(segment.path, "w", 0o600);
    try {
      writeSync(opened, record);
      fsyncSync(opened);
      syncDirectory(directory);
    } catch (error) {
      closeSync(opened);
      rmSync(segment.path, { force: true });
      throw error;
    }
    if (descriptor >= 0) {
      if (dirty) fdatasyncSync(descriptor);
      closeSync(descriptor);
    }
    descriptor = opened;
    dirty = false;
    segment.fileBytes = record.length;
    active = segment;
    segments.push(segment);
  }

  const rotate = () => begin(active.index + 1);
  const closed = () => segments.filter((segment) => segment !== active);
  const totalBytes = () => segments.reduce((sum, segment) => sum + segment.fileBytes, 0);

  function remove(segment: Segment): void {
    count(segment, -1);
    segments = segments.filter((other) => other !== segment);
    rmSync(segment.path, { force: true });
  }

  /** Pending entries of a segment, in order; those that the disk lost are left out. */
  function entriesOf(segment: Segment, from: number, to: number): { stored: Stored; raw: Buffer }[] {
    const first = segment.offsets[from];
    const lastOffset = segment.offsets[to - 1];
    if (first === undefined || lastOffset === undefined) return [];
    const bytes = Buffer.allocUnsafe(lastOffset + (segment.sizes[to - 1] ?? 0) - first);
    const opened = openSync(segment.path, "r");
    let length: number;
    try {
      length = readSync(opened, bytes, 0, bytes.length, first);
    } finally {
      closeSync(opened);
    }
    const result: { stored: Stored; raw: Buffer }[] = [];
    for (const { payload, offset, size } of decodeRecords(bytes.subarray(0, length)).records) {
      const stored = parse(payload);
      if (isStored(stored)) result.push({ stored, raw: bytes.subarray(offset, offset + size) });
    }
    return result;
  }

  /** Gives up a closed segment with all that waits in it. */
  function dropWhole(segment: Segment): void {
    const gone: DroppedEntry[] = [];
    for (const { stored } of entriesOf(segment, segment.start, segment.seqs.length))
      if (stored.i.type === "observation") gone.push({ key: stored.i.key, seq: stored.q });
    for (let n = segment.start; n < segment.seqs.length; n++)
      if (segment.confirmation[n]) droppedConfirmations++;
      else droppedObservations++;
    remove(segment);
    if (gone.length > 0) onDropped(gone);
  }

  /** Rewrites a closed segment without its confirmations (and without what is acknowledged). */
  function dropConfirmations(segment: Segment): void {
    const kept = entriesOf(segment, segment.start, segment.seqs.length).filter(
      ({ stored }) => stored.i.type === "observation",
    );
    for (let n = segment.start; n < segment.seqs.length; n++) if (segment.confirmation[n]) droppedConfirmations++;
    if (kept.length === 0) {
      remove(segment);
      return;
    }
    const rewritten = { ...emptySegment(segment.index, segment.header), path: segment.path };
    const chunks = [encodeRecord(JSON.stringify(segment.header))];
    let offset = chunks[0]?.length ?? 0;
    for (const { stored, raw } of kept) {
      chunks.push(raw);
      note(rewritten, stored, offset, raw.length);
      offset += raw.length;
    }
    writeSegment(segment.path, Buffer.concat(chunks));
    count(segment, -1);
    Object.assign(segment, rewritten, { fileBytes: offset });
    count(segment, 1);
  }

  function writeSegment(path: string, bytes: Buffer): void {
    const temporary = `${path}.tmp`;
    const opened = openSync(temporary, "w", 0o600);
    try {
      writeSync(opened, bytes);
      fsyncSync(opened);
    } finally {
      closeSync(opened);
    }
    renameSync(temporary, path);
    syncDirectory(directory);
  }

  const pendingConfirmations = (segment: Segment) => segment.confirmation.indexOf(true, segment.start) >= 0;

  function makeRoom(extra: number): void {
    if (totalBytes() + extra <= maxBytes) return;
    // A little more than needed, so that a full outbox does not rewrite a file at each entry.
    const goal = maxBytes - segmentBytes;
    while (totalBytes() + extra > goal) {
      const stale = closed().find(pendingConfirmations);
      if (stale) dropConfirmations(stale);
      else if (active.seqs.length > 0 && pendingConfirmations(active)) rotate();
      else {
        const oldest = closed()[0];
        if (oldest) dropWhole(oldest);
        else if (active.seqs.length > 0) rotate();
        else return;
      }
    }
  }

  function age(entry: { at: number; uptime: number; boot: string }): number {
    const elapsed = entry.boot === clock.boot ? clock.uptime() - entry.uptime : clock.now() - entry.at;
    return Math.min(maxAgeOnWire, Math.max(0, elapsed));
  }

  function dropAged(): void {
    if (active.oldest && age(active.oldest) > maxAgeMs / 16) rotate();
    for (let first = closed()[0]; first?.newest && age(first.newest) > maxAgeMs; first = closed()[0]) dropWhole(first);
  }

  load();

  return {
    epoch: () => epoch,
    lastSeq: () => last,
    ackedSeq: () => acked,
    append(item) {
      const lost = () => {
        if (item.type === "confirmation") droppedConfirmations++;
        else droppedObservations++;
        return null;
      };
      const seq = last + 1;
      try {
        const stored: Stored = { q: seq, u: clock.uptime(), i: item };
        const record = encodeRecord(JSON.stringify(stored));
        if (active.fileBytes + record.length > segmentBytes && active.seqs.length > 0) rotate();
        makeRoom(record.length);
        dropAged();
        try {
          writeWhole(record);
        } catch (error) {
          // A full disk may have taken half of it.
          ftruncateSync(descriptor, active.fileBytes);
          throw error;
        }
        dirty = true;
        last = seq;
        note(active, stored, active.fileBytes, record.length);
        active.fileBytes += record.length;
        pendingItems++;
        pendingBytes += record.length;
        return seq;
      } catch (error) {
        onDamage(`an entry of ${item.key} could not be kept: ${(error as Error).message}`);
        return lost();
      }
    },
    sync() {
      if (!dirty) return;
      fdatasyncSync(descriptor);
      dirty = false;
    },
    read(after, max) {
      const batch = { items: [], confirmations: [], lastSeq: after };
      let bytes = 0;
      let taken = 0;
      for (const segment of segments) {
        if ((segment.seqs.at(-1) ?? 0) <= after) continue;
        let from = segment.start;
        while ((segment.seqs[from] ?? Number.POSITIVE_INFINITY) <= after) from++;
        let to = from;
        while (to < segment.seqs.length && taken + (to - from) < max.items) {
          const size = segment.sizes[to] ?? 0;
          if (bytes + size > max.bytes && taken + (to - from) > 0) break;
          bytes += size;
          to++;
        }
        if (to === from) break;
        for (const { stored } of entriesOf(segment, from, to)) {
          const made = { at: stored.i.at, uptime: stored.u, boot: stored.b ?? segment.header.boot };
          toWire(batch, { seq: stored.q, ageMs: age(made), item: stored.i });
        }
        taken += to - from;
        batch.lastSeq = segment.seqs[to - 1] ?? batch.lastSeq;
        if (to < segment.seqs.length) break;
      }
      return taken === 0 ? null : batch;
    },
    ack(seq) {
      acked = Math.max(acked, Math.min(seq, last));
      for (const segment of [...segments]) {
        while ((segment.seqs[segment.start] ?? Number.POSITIVE_INFINITY) <= acked) {
          pendingItems--;
          pendingBytes -= segment.sizes[segment.start] ?? 0;
          segment.start++;
        }
      }
      // A new header is on disk before the old segments go: it alone then says which number comes next.
      if (active.seqs.length > 0 && active.start === active.seqs.length && active.fileBytes > compactBytes) rotate();
      for (const segment of closed()) if (segment.start === segment.seqs.length) remove(segment);
    },
    renew() {
      const waiting = segments.flatMap((segment) =>
        entriesOf(segment, segment.start, segment.seqs.length).map(({ stored }) => ({
          stored,
          boot: stored.b ?? segment.header.boot,
        })),
      );
      const index = active.index + 1;
      epoch = newId();
      acked = 0;
      last = 0;
      const fresh = emptySegment(index, header());
      const chunks = [encodeRecord(JSON.stringify(fresh.header))];
      let offset = chunks[0]?.length ?? 0;
      for (const { stored, boot } of waiting) {
        const renumbered: Stored = { ...stored, q: ++last, b: boot };
        const record = encodeRecord(JSON.stringify(renumbered));
        chunks.push(record);
        note(fresh, renumbered, offset, record.length);
        offset += record.length;
      }
      fresh.fileBytes = offset;
      writeSegment(fresh.path, Buffer.concat(chunks));
      const old = segments;
      segments = [fresh];
      pendingItems = 0;
      pendingBytes = 0;
      count(fresh, 1);
      begin(index + 1);
      for (const segment of old) rmSync(segment.path, { force: true });
    },
    stats: (): OutboxStats => ({
      items: pendingItems,
      bytes: pendingBytes,
      droppedConfirmations,
      droppedObservations,
    }),
    close() {
      if (descriptor < 0) return;
      if (dirty) fdatasyncSync(descriptor);
      closeSync(descriptor);
      descriptor = -1;
    },
  };

  function writeWhole(record: Buffer): void {
    let position = active.fileBytes;
    for (let written = 0; written < record.length; ) {
      const n = writeSync(descriptor, record, written, record.length - written, position);
      written += n;
      position += n;
    }
  }
}
