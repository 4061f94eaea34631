import { openSync, readFileSync } from "node:fs";
import type { Koffi } from "../koffi.ts";

/** `madvise(2)`: forget these pages of the page table; a private mapping of a file reads them anew when touched. */
const MADV_DONTNEED = 4;
/** `posix_fadvise(2)`: drop what of this file nobody maps from the page cache. */
const POSIX_FADV_DONTNEED = 4;

/** A range of addresses. */
export interface Mapping {
  readonly from: bigint;
  readonly to: bigint;
}

/**
 * Mappings of one file that may be forgotten without losing anything: not writable, private, and without a single page
 * of their own (a relocated page looks read-only and exists nowhere else).
 * @param smaps content of `/proc/self/smaps`.
 * @param file the executable's own path: its mappings never change while it runs, those of a library may.
 */
export function forgettable(smaps: string, file: string): Mapping[] {
  const found: Mapping[] = [];
  let current: (Mapping & { anonymous: number | null }) | null = null;
  const finish = () => {
    if (current?.anonymous === 0) found.push({ from: current.from, to: current.to });
    current = null;
  };
  for (const line of smaps.split("\n")) {
    const head = /^([0-9a-f]+)-([0-9a-f]+) (r-[x-]p) [0-9a-f]+ \S+ \d+ +(.*)$/.exec(line);
    if (/^[0-9a-f]+-[0-9a-f]+ /.test(line)) {
      finish();
      if (head && head[4] === file)
        current = { from: BigInt(`0x${head[1]}`), to: BigInt(`0x${head[2]}`), anonymous: null };
    } else if (current) {
      const size = /^(Anonymous|Swap): +(\d+) kB$/.exec(line);
      if (size?.[1] === "Anonymous") current.anonymous = (current.anonymous ?? 0) + Number(size[2]);
      if (size?.[1] === "Swap" && Number(size[2]) > 0) current.anonymous = Number.POSITIVE_INFINITY;
    }
  }
  finish();
  return found;
}

/**
 * Gives back what an idle process need not hold: free pages of the C heap, and pages of the executable, which are read
 * from its file again when they are needed.
 */
export function memoryReleaser(koffi: Koffi): () => void {
  const libc = koffi.load("libc.so.6");
  const mallocTrim = libc.func("int malloc_trim(size_t pad)");
  const madvise = libc.func("int madvise(uintptr_t address, size_t length, int advice)");
  const fadvise = libc.func("int posix_fadvise(int descriptor, int64_t offset, int64_t length, int advice)");
  // The executable does not move: its mappings are looked up once.
  const mappings = forgettable(readFileSync("/proc/self/smaps", "utf8"), process.execPath);
  const executable = openSync(process.execPath, "r");
  return () => {
    mallocTrim(0);
    for (const { from, to } of mappings) madvise(from, to - from, MADV_DONTNEED);
    // Else the next fault maps all the neighbours that are still in the page cache.
    fadvise(executable, 0, 0, POSIX_FADV_DONTNEED);
  };
}
