import {
  appendFileSync,
  mkdirSync,
  readdirSync,
  readFileSync,
  rmSync,
  statSync,
  truncateSync,
  writeFileSync,
} from "node:fs";
import { join } from "node:path";
import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { type DiskOutboxOptions, openDiskOutbox } from "../src/outbox/disk-outbox.ts";
import { memoryOutbox } from "../src/outbox/memory-outbox.ts";
import type { DroppedEntry, Outbox } from "../src/outbox/outbox.ts";
import { decodeRecords, encodeRecord, maxRecordBytes } from "../src/outbox/record.ts";
import { testClock } from "./support/clock.ts";
import { confirmation, observation } from "./support/items.ts";
import { temporaryDirectory } from "./support/temporary.ts";

let ids = 0;
const newId = () => `00000000-0000-4000-8000-${String(++ids).padStart(12, "0")}`;

function open(directory: string, more: Partial<DiskOutboxOptions> = {}): Outbox {
  return openDiskOutbox({ directory, clock: testClock(), newId, ...more });
}
const everything = { items: 500, bytes: 1_000_000 };
const seqs = (outbox: Outbox, after = 0) => {
  const batch = outbox.read(after, { items: 100_000, bytes: 1e9 });
  return [...(batch?.items ?? []), ...(batch?.confirmations ?? [])].map((item) => item.seq).sort((a, b) => a - b);
};
const segments = (directory: string) => readdirSync(directory).filter((name) => name.endsWith(".seg"));
const bytesOnDisk = (directory: string) =>
  segments(directory).reduce((sum, name) => sum + statSync(join(directory, name)).size, 0);

describe("the outbox on disk", () => {
  it("gives each entry the next number and hands them out in order", () => {
    const outbox = open(temporaryDirectory());
    expect(outbox.append(observation("a"))).toBe(1);
    expect(outbox.append(confirmation("a"))).toBe(2);
    expect(outbox.append(observation("b"))).toBe(3);
    const batch = outbox.read(0, everything);
    expect(batch?.items.map((item) => [item.seq, item.key])).toEqual([
      [1, "a"],
      [3, "b"],
    ]);
    expect(batch?.confirmations.map((item) => item.seq)).toEqual([2]);
    expect(batch?.lastSeq).toBe(3);
    outbox.close();
  });

  it("keeps what waits, its numbers and its epoch over a restart", () => {
    const directory = temporaryDirectory();
    const first = open(directory);
    for (const key of ["a", "b", "c"]) first.append(observation(key));
    first.ack(1);
    first.close();
    const second = open(directory);
    expect(second.epoch()).toBe(first.epoch());
    expect(second.lastSeq()).toBe(3);
    expect(seqs(second, 1)).toEqual([2, 3]);
    expect(second.append(observation("d"))).toBe(4);
    second.close();
  });

  it("never gives a number twice, also when all was acknowledged and the files are gone", () => {
    const directory = temporaryDirectory();
    for (let round = 0; round < 5; round++) {
      const outbox = open(directory, { maxBytes: 16 * 1024 });
      for (let n = 0; n < 20; n++) outbox.append(observation("a", { text: "x".repeat(200) }));
      expect(outbox.lastSeq()).toBe((round + 1) * 20);
      outbox.ack(outbox.lastSeq());
      expect(outbox.stats().items).toBe(0);
      outbox.close();
    }
    expect(bytesOnDisk(directory)).toBeLessThan(4096);
  });

  it("forgets acknowledged entries and their files", () => {
    const directory = temporaryDirectory();
    const outbox = open(directory, { maxBytes: 64 * 1024 });
    for (let n = 0; n < 100; n++) outbox.append(observation("a", { text: "x".repeat(200) }));
    const before = segments(directory).length;
    expect(before).toBeGreaterThan(3);
    outbox.ack(50);
    expect(seqs(outbox)[0]).toBe(51);
    expect(segments(directory).length).toBeLessThan(before);
    outbox.ack(100);
    expect(outbox.read(0, everything)).toBeNull();
    expect(outbox.stats()).toMatchObject({ items: 0, bytes: 0 });
    outbox.close();
  });

  it("limits what it hands out by entries and by bytes, but always gives one", () => {
    const outbox = open(temporaryDirectory());
    for (let n = 0; n < 5; n++) outbox.append(observation("a", { text: "x".repeat(1000) }));
    expect(outbox.read(0, { items: 2, bytes: 1e6 })?.lastSeq).toBe(2);
    expect(outbox.read(2, { items: 9, bytes: 2500 })?.lastSeq).toBe(4);
    expect(outbox.read(4, { items: 9, bytes: 1 })?.lastSeq).toBe(5);
    outbox.close();
  });

  it("drops the oldest confirmations before any observation, and counts them", () => {
    const directory = temporaryDirectory();
    const dropped: DroppedEntry[] = [];
    const outbox = open(directory, { maxBytes: 32 * 1024, onDropped: (gone) => dropped.push(...gone) });
    for (let n = 0; n < 40; n++) {
      outbox.append(observation(`o${n}`));
      for (let c = 0; c < 5; c++) outbox.append(confirmation("o"));
    }
    expect(bytesOnDisk(directory)).toBeLessThanOrEqual(32 * 1024);
    expect(outbox.stats().droppedConfirmations).toBeGreaterThan(0);
    expect(outbox.stats().droppedObservations).toBe(0);
    expect(dropped).toEqual([]);
    const batch = outbox.read(0, { items: 1000, bytes: 1e6 });
    expect(batch?.items).toHaveLength(40);
    // The oldest went, the newest stayed.
    const kept = batch?.confirmations.map((item) => item.seq) ?? [];
    expect(kept.length).toBe(200 - outbox.stats().droppedConfirmations);
    expect(Math.max(...kept)).toBe(240);
    outbox.close();
  });

  it("drops the oldest observations when there is nothing else, and says which", () => {
    const directory = temporaryDirectory();
    const dropped: DroppedEntry[] = [];
    const outbox = open(directory, { maxBytes: 16 * 1024, onDropped: (gone) => dropped.push(...gone) });
    for (let n = 1; n <= 200; n++) outbox.append(observation(`o${n}`));
    const { droppedObservations } = outbox.stats();
    expect(droppedObservations).toBeGreaterThan(0);
    expect(dropped.map((entry) => entry.seq)).toEqual(Array.from({ length: droppedObservations }, (_, n) => n + 1));
    expect(seqs(outbox)).toEqual(
      Array.from({ length: 200 - droppedObservations }, (_, n) => n + 1 + droppedObservations),
    );
    expect(bytesOnDisk(directory)).toBeLessThanOrEqual(16 * 1024);
    outbox.close();
    const again = open(directory, { maxBytes: 16 * 1024 });
    expect(again.stats().droppedObservations).toBe(droppedObservations);
    again.close();
  });

  it("drops what is too old and keeps what is not", async () => {
    const clock = testClock();
    const outbox = open(temporaryDirectory(), { clock, maxAgeMs: 160_000 });
    outbox.append(observation("old"));
    await clock.advance(100_000);
    outbox.append(observation("newer"));
    await clock.advance(100_000);
    outbox.append(observation("newest"));
    expect(seqs(outbox)).toEqual([2, 3]);
    expect(outbox.stats().droppedObservations).toBe(1);
    outbox.close();
  });

  it("tells the age by the machine's uptime, whatever the wall clock does", async () => {
    const directory = temporaryDirectory();
    const clock = testClock();
    const outbox = open(directory, { clock });
    outbox.append(observation("a"));
    await clock.advance(5000);
    clock.setWallClock(0);
    expect(outbox.read(0, everything)?.items[0]?.ageMs).toBe(5000);
    outbox.close();
    const sameBoot = open(directory, { clock });
    expect(sameBoot.read(0, everything)?.items[0]?.ageMs).toBe(5000);
    sameBoot.close();
  });

  it("tells the age by the wall clock after a restart of the machine, and never a negative one", () => {
    const directory = temporaryDirectory();
    const first = open(directory);
    first.append(observation("a"));
    first.close();
    const madeAt = Date.UTC(2026, 10, 22, 8);
    const later = open(directory, { clock: testClock("boot-2", madeAt + 3_600_000) });
    expect(later.read(0, everything)?.items[0]?.ageMs).toBe(3_600_000);
    later.close();
    const backwards = open(directory, { clock: testClock("boot-3", madeAt - 3_600_000) });
    expect(backwards.read(0, everything)?.items[0]?.ageMs).toBe(0);
    backwards.close();
  });

  it("starts a new epoch when it is made anew", () => {
    const one = open(temporaryDirectory());
    const two = open(temporaryDirectory());
    expect(one.epoch()).not.toBe(two.epoch());
    one.close();
    two.close();
  });

  it("numbers what waits from 1 in a renewed epoch, also after a restart", () => {
    const directory = temporaryDirectory();
    const outbox = open(directory);
    for (const key of ["a", "b", "c", "d"]) outbox.append(observation(key));
    outbox.ack(2);
    const before = outbox.epoch();
    outbox.renew();
    expect(outbox.epoch()).not.toBe(before);
    expect(outbox.read(0, everything)?.items.map((item) => [item.seq, item.key])).toEqual([
      [1, "c"],
      [2, "d"],
    ]);
    expect(outbox.append(observation("e"))).toBe(3);
    outbox.close();
    const again = open(directory);
    expect(again.epoch()).toBe(outbox.epoch());
    expect(seqs(again)).toEqual([1, 2, 3]);
    expect(again.stats().items).toBe(3);
    again.close();
  });

  it("passes over a tail that was cut off, and says so", () => {
    const directory = temporaryDirectory();
    const outbox = open(directory);
    outbox.append(observation("a"));
    outbox.append(observation("b"));
    outbox.close();
    const name = segments(directory).at(-1) ?? "";
    truncateSync(join(directory, name), statSync(join(directory, name)).size - 1);
    const damage: string[] = [];
    const again = open(directory, { onDamage: (what) => damage.push(what) });
    expect(seqs(again)).toEqual([1]);
    expect(damage).toHaveLength(1);
    // The lost entry was never synced and so never sent: its number may be given again.
    expect(again.append(observation("c"))).toBe(2);
    again.close();
  });

  it("passes over a tail of zeros, as a file system leaves it", () => {
    const directory = temporaryDirectory();
    const outbox = open(directory);
    outbox.append(observation("a"));
    outbox.close();
    appendFileSync(join(directory, segments(directory).at(-1) ?? ""), Buffer.alloc(4096));
    const again = open(directory);
    expect(seqs(again)).toEqual([1]);
    again.close();
  });

  it("opens over any rubbish without throwing", () => {
    fc.assert(
      fc.property(fc.uint8Array({ maxLength: 2000 }), (bytes) => {
        const directory = temporaryDirectory();
        writeFileSync(join(directory, "00000001.seg"), bytes);
        const outbox = open(directory);
        expect(outbox.append(observation("a"))).toBe(1);
        outbox.close();
      }),
      { numRuns: 50 },
    );
  });

  it("refuses an entry that is too large, counts it and goes on", () => {
    const outbox = open(temporaryDirectory());
    expect(outbox.append(observation("a", { text: "x".repeat(maxRecordBytes) }))).toBeNull();
    expect(outbox.stats().droppedObservations).toBe(1);
    expect(outbox.append(observation("b"))).toBe(1);
    outbox.close();
  });

  it("keeps its files from other users", () => {
    const directory = temporaryDirectory();
    const outbox = open(join(directory, "outbox"));
    outbox.append(observation("a"));
    const mode = (path: string) => statSync(path).mode & 0o777;
    expect(mode(join(directory, "outbox"))).toBe(0o700);
    for (const name of segments(join(directory, "outbox"))) expect(mode(join(directory, "outbox", name))).toBe(0o600);
    outbox.close();
  });

  it("counts entries that the disk does not take, and goes on when it does again", () => {
    const directory = join(temporaryDirectory(), "outbox");
    const damage: string[] = [];
    const outbox = open(directory, { maxBytes: 16 * 1024, onDamage: (what) => damage.push(what) });
    rmSync(directory, { recursive: true });
    for (let n = 0; n < 10; n++) outbox.append(observation("a", { text: "x".repeat(300) }));
    const { droppedObservations } = outbox.stats();
    expect(droppedObservations).toBeGreaterThan(0);
    expect(damage).toHaveLength(droppedObservations);
    mkdirSync(directory);
    expect(outbox.append(observation("b"))).toBe(10 - droppedObservations + 1);
    outbox.close();
  });

  it("loses no entry that was synced and not acknowledged, keeps the order, whatever happens at whichever byte", () => {
    const step = fc.oneof(
      {
        weight: 6,
        arbitrary: fc.record({ type: fc.constant("append" as const), size: fc.integer({ min: 0, max: 700 }) }),
      },
      { weight: 2, arbitrary: fc.record({ type: fc.constant("confirm" as const) }) },
      { weight: 2, arbitrary: fc.record({ type: fc.constant("sync" as const) }) },
      {
        weight: 2,
        arbitrary: fc.record({ type: fc.constant("ack" as const), share: fc.double({ min: 0, max: 1, noNaN: true }) }),
      },
      { weight: 1, arbitrary: fc.record({ type: fc.constant("renew" as const) }) },
      {
        weight: 2,
        arbitrary: fc.record({
          type: fc.constant("crash" as const),
          share: fc.double({ min: 0, max: 1, noNaN: true }),
        }),
      },
    );
    fc.assert(
      fc.property(fc.array(step, { maxLength: 80 }), (steps) => {
        const directory = temporaryDirectory();
        let outbox = open(directory, { maxBytes: 256 * 1024 });
        /** What waits, by its mark; synced ones must survive. */
        let model: { mark: number; synced: boolean }[] = [];
        let mark = 0;
        let acked = 0;
        let syncedBytes = new Map<string, number>();
        const sizes = () => new Map(segments(directory).map((name) => [name, statSync(join(directory, name)).size]));
        const marks = () => {
          const batch = outbox.read(outbox.ackedSeq(), { items: 10_000, bytes: 1e9 });
          return [
            ...(batch?.items ?? []).map((item) => ({ seq: item.seq, mark: (item.facts as { mark: number }).mark })),
            ...(batch?.confirmations ?? []).map((item) => ({ seq: item.seq, mark: Number(item.key) })),
          ]
            .sort((a, b) => a.seq - b.seq)
            .map((entry) => entry.mark);
        };
        const allSynced = () => {
          model = model.map((entry) => ({ ...entry, synced: true }));
          syncedBytes = sizes();
        };
        allSynced();
        for (const action of steps) {
          switch (action.type) {
            case "append":
              outbox.append(observation("o", { mark: ++mark, text: "x".repeat(action.size) }));
              model.push({ mark, synced: false });
              break;
            case "confirm":
              outbox.append(confirmation(String(++mark)));
              model.push({ mark, synced: false });
              break;
            case "sync":
              outbox.sync();
              allSynced();
              break;
            case "ack": {
              // Only what was sent is acknowledged, and only what is synced is sent.
              outbox.sync();
              allSynced();
              const count = Math.floor(model.length * action.share);
              const batch = outbox.read(outbox.ackedSeq(), { items: Math.max(1, count), bytes: 1e9 });
              if (count > 0 && batch) {
                outbox.ack(batch.lastSeq);
                acked = model[count - 1]?.mark ?? acked;
                model = model.slice(count);
              }
              syncedBytes = sizes();
              break;
            }
            case "renew":
              outbox.renew();
              allSynced();
              break;
            case "crash": {
              const name = segments(directory).at(-1) ?? "";
              const size = statSync(join(directory, name)).size;
              const safe =
                syncedBytes.get(name) ?? decodeRecords(readFileSync(join(directory, name))).records[0]?.size ?? 0;
              truncateSync(join(directory, name), safe + Math.floor((size - safe) * action.share));
              outbox = open(directory, { maxBytes: 256 * 1024 });
              // Acknowledged ones may come back: a resend is harmless.
              const seen = marks().filter((one) => one > acked);
              expect(seen).toEqual(model.slice(0, seen.length).map((entry) => entry.mark));
              expect(seen.length).toBeGreaterThanOrEqual(model.filter((entry) => entry.synced).length);
              model = model.slice(0, seen.length);
              outbox.ack(outbox.lastSeq() - seen.length);
              allSynced();
              break;
            }
          }
          expect(marks()).toEqual(model.map((entry) => entry.mark));
          expect(outbox.stats().items).toBe(model.length);
        }
        outbox.close();
      }),
      { numRuns: 60 },
    );
  }, 60_000);
});

describe("a record", () => {
  it("comes back as it was written, also after others", () => {
    fc.assert(
      fc.property(
        fc.array(fc.string({ minLength: 1, maxLength: 200, unit: "grapheme" }), { maxLength: 10 }),
        (texts) => {
          const { records, validBytes } = decodeRecords(Buffer.concat(texts.map(encodeRecord)));
          expect(records.map((record) => record.payload)).toEqual(texts.map((text) => Buffer.from(text).toString()));
          expect(validBytes).toBe(texts.reduce((sum, text) => sum + encodeRecord(text).length, 0));
        },
      ),
    );
  });

  it("is not read when one bit of it differs", () => {
    const record = encodeRecord('{"q":1}');
    for (let bit = 0; bit < record.length * 8; bit++) {
      const broken = Buffer.from(record);
      broken[bit >> 3] = (broken[bit >> 3] ?? 0) ^ (1 << (bit & 7));
      expect(decodeRecords(broken).records).toEqual([]);
    }
  });
});

describe("the outbox in memory", () => {
  it("keeps order, acknowledges, and drops confirmations first", () => {
    const outbox = memoryOutbox({ clock: testClock(), newId, maxItems: 3 });
    outbox.append(observation("a"));
    outbox.append(confirmation("a"));
    outbox.append(observation("b"));
    outbox.append(observation("c"));
    expect(seqs(outbox)).toEqual([1, 3, 4]);
    outbox.append(observation("d"));
    expect(seqs(outbox)).toEqual([3, 4, 5]);
    expect(outbox.stats()).toMatchObject({ items: 3, droppedConfirmations: 1, droppedObservations: 1 });
    outbox.ack(4);
    expect(seqs(outbox)).toEqual([5]);
    outbox.renew();
    expect(seqs(outbox)).toEqual([1]);
  });
});
