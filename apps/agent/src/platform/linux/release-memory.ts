import { readFileSync } from "node:fs";
import type { Koffi } from "../koffi.ts";

/** `madvise(2)`: forget these pages of the page table; a private mapping of a file reads them anew when touched. */
const MADV_DONTNEED = 4;

/** A range of addresses. */
export interface Mapping {
  readonly from: bigint;
  readonly to: bigint;
}

/**
 * Mappings of files that may be forgotten without losing anything: not writable, private, and without a single page of
 * their own (a relocated page looks read-only and exists nowhere else).
 * @param smaps content of `/proc/self/smaps`.
 */
export function forgettable(smaps: string): Mapping[] {
  const found: Mapping[] = [];
  let current: (Mapping & { anonymous: number | null }) | null = null;
  const finish = () => {
    if (current?.anonymous === 0) found.push({ from: current.from, to: current.to });
    current = null;
  };
  for (const line of smaps.split("\n")) {
    if (/^[0-9a-f]+-[0-9a-f]+ /.test(line)) {
      finish();
      const head = /^([0-9a-f]+)-([0-9a-f]+) r-[x-]p [0-9a-f]+ \S+ \d+ +\//.exec(line);
      if (head) current = { from: BigInt(`0x${head[1]}`), to: BigInt(`0x${head[2]}`), anonymous: null };
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
 * Gives back what an idle process need not hold: free pages of the C heap, and pages of the executable and its
 * libraries, which stay in the page cache as long as the system has memory to spare and are mapped again when touched.
 *
 * To be made before another thread works. What is mapped then stays where it is for good; a library that a look-up of
 * names loads later may be on its way into its place or out of it, and what takes its place must never be forgotten.
 */
export function memoryReleaser(koffi: Koffi): () => void {
  const libc = koffi.load("libc.so.6");
  const mallocTrim = libc.func("int malloc_trim(size_t pad)");
  const madvise = libc.func("int madvise(uintptr_t address, size_t length, int advice)");
  const mappings = forgettable(readFileSync("/proc/self/smaps", "utf8"));
  return () => {
    mallocTrim(0);
    for (const { from, to } of mappings) madvise(from, to - from, MADV_DONTNEED);
  };
}
