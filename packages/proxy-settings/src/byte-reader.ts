/** Reads little-endian registry structures. Past the end it gives zeros and notes it, as a hostile length must not throw. */
export interface ByteReader {
  /** Bytes not read yet. */
  remaining(): number;
  u32(): number;
  /** `u32` length, then bytes: UTF-8, else Latin-1; trailing NULs removed. Clipped to what is there. */
  text(): string;
  /** Whether something was asked for that is not there. */
  clipped(): boolean;
}

const utf8 = new TextDecoder("utf-8", { fatal: true, ignoreBOM: true });

function decodeText(bytes: Uint8Array): string {
  let end = bytes.length;
  while (end > 0 && bytes[end - 1] === 0) end--;
  const trimmed = bytes.subarray(0, end);
  try {
    return utf8.decode(trimmed);
  } catch {
    // Bytes, not TextDecoder's "latin1", which is windows-1252.
    let text = "";
    for (const byte of trimmed) text += String.fromCharCode(byte);
    return text;
  }
}

/** A reader over bytes, which it does not copy. */
export function byteReader(bytes: Uint8Array): ByteReader {
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  let offset = 0;
  let short = false;
  const u32 = () => {
    if (bytes.length - offset < 4) {
      short = true;
      offset = bytes.length;
      return 0;
    }
    const value = view.getUint32(offset, true);
    offset += 4;
    return value;
  };
  return {
    remaining: () => bytes.length - offset,
    u32,
    text: () => {
      const length = u32();
      const available = Math.min(length, bytes.length - offset);
      if (available < length) short = true;
      const text = decodeText(bytes.subarray(offset, offset + available));
      offset += available;
      return text;
    },
    clipped: () => short,
  };
}
