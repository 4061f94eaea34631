/** Bytes of a page of WebAssembly memory. */
const pageBytes = 65_536;
const memorySection = 5;

/** Reads an unsigned LEB128 number. */
function readNumber(bytes: Uint8Array, at: number): { value: number; next: number } {
  let value = 0;
  for (let shift = 0, i = at; i < at + 5; i++, shift += 7) {
    const byte = bytes[i] ?? 0;
    value += (byte & 0x7f) * 2 ** shift;
    if (byte < 0x80) return { value, next: i + 1 };
  }
  throw new RangeError(`no LEB128 number at byte ${at}`);
}

function writeNumber(value: number): number[] {
  const bytes: number[] = [];
  let rest = value;
  do {
    bytes.push((rest & 0x7f) | (rest > 0x7f ? 0x80 : 0));
    rest >>>= 7;
  } while (rest > 0);
  return bytes;
}

/**
 * The same WebAssembly module with a maximum for its memory. The engine's own limit does not count what a script
 * allocates, and the operating system's would end the process without a word; with this the script sees "out of memory".
 * @throws RangeError when the bytes are no module with one memory of its own.
 */
export function limitMemory(module: Uint8Array, maxBytes: number): Uint8Array<ArrayBuffer> {
  for (let at = 8; at < module.length; ) {
    const { value: size, next: body } = readNumber(module, at + 1);
    if (module[at] !== memorySection) {
      at = body + size;
      continue;
    }
    // One memory: count 1, flags, minimum, and perhaps a maximum, which is replaced.
    const { value: minimum } = readNumber(module, body + 2);
    const section = [
      1,
      1,
      ...writeNumber(minimum),
      ...writeNumber(Math.max(minimum, Math.floor(maxBytes / pageBytes))),
    ];
    const replaced = [memorySection, ...writeNumber(section.length), ...section];
    const rest = module.subarray(body + size);
    const limited = new Uint8Array(at + replaced.length + rest.length);
    limited.set(module.subarray(0, at));
    limited.set(replaced, at);
    limited.set(rest, at + replaced.length);
    return limited;
  }
  throw new RangeError("the WebAssembly module has no memory section");
}
