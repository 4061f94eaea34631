import type { Clock } from "../clock.ts";
import { maxAgeOnWire, type Outbox, type OutboxItem, toWire } from "./outbox.ts";

/** An outbox without a disk, for simulated machines: bounded by entries, the oldest are dropped. */
export function memoryOutbox(options: {
  readonly clock: Pick<Clock, "monotonic">;
  readonly newId: () => string;
  readonly maxItems?: number;
}): Outbox {
  const { clock, newId, maxItems = 1000 } = options;
  let epoch = newId();
  let last = 0;
  let acked = 0;
  let entries: { seq: number; madeAt: number; item: OutboxItem; bytes: number }[] = [];
  const dropped = { observation: 0, confirmation: 0 };

  return {
    epoch: () => epoch,
    lastSeq: () => last,
    ackedSeq: () => acked,
    append(item) {
      entries.push({ seq: ++last, madeAt: clock.monotonic(), item, bytes: JSON.stringify(item).length });
      if (entries.length > maxItems) {
        const confirmation = entries.findIndex((entry) => entry.item.type === "confirmation");
        const [gone] = entries.splice(Math.max(0, confirmation), 1);
        if (gone) dropped[gone.item.type]++;
      }
      return last;
    },
    sync() {},
    read(after, max) {
      const batch = { items: [], confirmations: [], lastSeq: after };
      let bytes = 0;
      let count = 0;
      for (const entry of entries) {
        if (entry.seq <= after) continue;
        bytes += entry.bytes;
        if (count >= max.items || (count > 0 && bytes > max.bytes)) break;
        const ageMs = Math.min(maxAgeOnWire, Math.max(0, clock.monotonic() - entry.madeAt));
        toWire(batch, { seq: entry.seq, ageMs, item: entry.item });
        batch.lastSeq = entry.seq;
        count++;
      }
      return count === 0 ? null : batch;
    },
    ack(seq) {
      acked = Math.max(acked, Math.min(seq, last));
      entries = entries.filter((entry) => entry.seq > acked);
    },
    renew() {
      epoch = newId();
      acked = 0;
      last = 0;
      for (const entry of entries) entry.seq = ++last;
    },
    stats: () => ({
      items: entries.length,
      bytes: entries.reduce((sum, entry) => sum + entry.bytes, 0),
      droppedConfirmations: dropped.confirmation,
      droppedObservations: dropped.observation,
    }),
    close() {},
  };
}
