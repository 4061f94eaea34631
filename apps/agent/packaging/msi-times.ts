import { readFileSync, writeFileSync } from "node:fs";

/*
 * An MSI is a compound file ([MS-CFB]): sectors, chained by a table (FAT), with a directory of streams. Small streams share
 * one, the mini stream; the packed files are a large stream of their own.
 */

/** Offsets in the header, and in an entry of the directory. */
const header = { sectorShift: 30, firstDirectorySector: 48, firstDifatSector: 68, difat: 76 } as const;
const difatInHeader = 109;
const rootEntry = { firstSector: 116 } as const;
/** Numbers from here on are no sectors but ends and marks. */
const noSector = 0xffff_fffa;

/** 100 ns since 1601. */
const fileTime = (seconds: number) => BigInt(seconds) * 10_000_000n + 116_444_736_000_000_000n;

/** Where the directory and the small streams stand: all that bears a time, and nothing of the packed files. */
function describingSectors(bytes: Buffer): { readonly offsets: readonly number[]; readonly size: number } {
  const size = 1 << bytes.readUInt16LE(header.sectorShift);
  const offsetOf = (sector: number) => (sector + 1) * size;
  const perSector = size / 4;
  const fat = Array.from({ length: difatInHeader }, (_, n) => bytes.readUInt32LE(header.difat + 4 * n));
  for (let sector = bytes.readUInt32LE(header.firstDifatSector); sector < noSector; ) {
    for (let n = 0; n < perSector - 1; n++) fat.push(bytes.readUInt32LE(offsetOf(sector) + 4 * n));
    sector = bytes.readUInt32LE(offsetOf(sector) + size - 4);
  }
  const next = (sector: number) =>
    bytes.readUInt32LE(offsetOf(fat[Math.floor(sector / perSector)] ?? noSector) + 4 * (sector % perSector));
  function chain(first: number): number[] {
    const offsets: number[] = [];
    for (let sector = first; sector < noSector; sector = next(sector)) offsets.push(offsetOf(sector));
    return offsets;
  }
  const directory = chain(bytes.readUInt32LE(header.firstDirectorySector));
  // The first entry is the root's; its stream is the one that small streams share.
  const miniStream = chain(bytes.readUInt32LE((directory[0] ?? 0) + rootEntry.firstSector));
  return { offsets: [...directory, ...miniStream], size };
}

/** Every time stamp of the last hour in the description of this MSI becomes the given one: wixl has no way to say it. */
export function settleTimes(file: string, seconds: number): void {
  const bytes = readFileSync(file);
  const now = fileTime(Math.floor(Date.now() / 1000));
  const from = now - 36_000_000_000n;
  const to = now + 600_000_000n;
  const { offsets, size } = describingSectors(bytes);
  for (const offset of offsets)
    for (let at = offset; at + 8 <= Math.min(offset + size, bytes.length); at += 4) {
      const value = bytes.readBigUInt64LE(at);
      if (value >= from && value <= to) bytes.writeBigUInt64LE(fileTime(seconds), at);
    }
  writeFileSync(file, bytes);
}
