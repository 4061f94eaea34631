import type { Confirmation, ObservationKind, PhaseTimings, RawObservation } from "@lynceus/protocol/facts";
import type { Location } from "@lynceus/protocol/names";

/** What waits to be sent: new facts, or the word that known facts still hold (domain 5.0 rule 13). */
export type OutboxItem =
  | {
      readonly type: "observation";
      readonly at: number;
      readonly kind: ObservationKind;
      readonly key: string;
      readonly location: Location;
      readonly digest: string;
      readonly facts: unknown;
      /** As on the wire: seen apart from a cycle. */
      readonly partial?: true;
    }
  | {
      readonly type: "confirmation";
      readonly at: number;
      readonly key: string;
      readonly location: Location;
      readonly digest: string;
      readonly timings: PhaseTimings | null;
      readonly partial?: true;
    };

/** One message's worth of the outbox, as the wire wants it. */
export interface OutboxBatch {
  readonly items: RawObservation[];
  readonly confirmations: Confirmation[];
  /** Highest seq in it. */
  readonly lastSeq: number;
}

export interface OutboxStats {
  /** Entries that wait for their acknowledgement. */
  readonly items: number;
  readonly bytes: number;
  /** Since the outbox was made. */
  readonly droppedConfirmations: number;
  readonly droppedObservations: number;
}

/** An entry that was given up before it was acknowledged. */
export interface DroppedEntry {
  readonly key: string;
  readonly seq: number;
}

/**
 * What the link takes from and the runtime puts into. Numbers are the machine's own, +1 per entry within an epoch;
 * dropped entries leave gaps and never shift a number.
 */
export interface Outbox {
  /** UUID of this life of the outbox. */
  epoch(): string;
  /** Highest number ever given in this epoch; 0 = none. */
  lastSeq(): number;
  /** Highest number known to be on the collector's disk. */
  ackedSeq(): number;
  /** Keeps an entry and returns its number; null when it could not be kept (it is counted as dropped). */
  append(item: OutboxItem): number | null;
  /** Makes everything appended so far survive a loss of power. The link calls it before it sends. */
  sync(): void;
  /** Entries after `seq` in order, at most `items` of them and about `bytes` of JSON; null when there is none. */
  read(after: number, max: { items: number; bytes: number }): OutboxBatch | null;
  /** Forgets everything up to `seq`. */
  ack(seq: number): void;
  /** Starts a new epoch with what waits, numbered from 1: for a collector that knows more of the old one than we do. */
  renew(): void;
  stats(): OutboxStats;
  close(): void;
}

/** Wire form of one entry at the moment of sending. */
export function toWire(batch: { items: RawObservation[]; confirmations: Confirmation[] }, entry: TimedEntry): void {
  const { seq, ageMs, item } = entry;
  const { type, ...rest } = item;
  if (type === "observation") batch.items.push({ seq, ageMs, ...rest } as RawObservation);
  else batch.confirmations.push({ seq, ageMs, ...rest } as Confirmation);
}

export interface TimedEntry {
  readonly seq: number;
  readonly ageMs: number;
  readonly item: OutboxItem;
}

/** The wire's bound on `ageMs`. */
export const maxAgeOnWire = 90 * 86_400_000;
