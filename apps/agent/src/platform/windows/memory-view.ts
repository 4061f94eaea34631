/*
 * Structures that the system writes into a buffer of ours point into that same buffer. Read as bytes with the buffer's
 * own address, they are data like any other: a pointer that leads elsewhere, or in a circle, ends what is read.
 */

/** A buffer and where it lies in memory. */
export interface MemoryView {
  readonly bytes: Uint8Array;
  readonly address: bigint;
}

/** Offset in the buffer of what is pointed to at `offset`; null where that is nothing or lies outside. */
export function pointerAt({ bytes, address }: MemoryView, offset: number): number | null {
  if (offset < 0 || offset + 8 > bytes.length) return null;
  const target = new DataView(bytes.buffer, bytes.byteOffset).getBigUint64(offset, true) - address;
  return target > 0n && target < BigInt(bytes.length) ? Number(target) : null;
}

/** 0 where the buffer ends. */
export function u32At({ bytes }: MemoryView, offset: number): number {
  if (offset < 0 || offset + 4 > bytes.length) return 0;
  return new DataView(bytes.buffer, bytes.byteOffset).getUint32(offset, true);
}

/** UTF-16 from `offset` to its NUL, of at most `max` characters. */
export function textAt({ bytes }: MemoryView, offset: number | null, max = 256): string {
  if (offset === null) return "";
  const end = Math.min(bytes.length, offset + 2 * max);
  const text = Buffer.from(bytes.buffer, bytes.byteOffset + offset, Math.max(0, end - offset) & ~1).toString("utf16le");
  const zero = text.indexOf("\0");
  return zero < 0 ? text : text.slice(0, zero);
}

/** Offsets of a linked list; a list that is longer than `max`, or turns in a circle, is cut. */
export function* linked(view: MemoryView, first: number | null, next: number, max = 256): Generator<number> {
  let at = first;
  for (let count = 0; at !== null && count < max; count++) {
    yield at;
    at = pointerAt(view, at + next);
  }
}
