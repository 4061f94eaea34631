import { crc32 } from "node:zlib";

/*
 * A record on disk: length (4 bytes, big endian), CRC-32 of the payload (4 bytes), payload (JSON, UTF-8).
 * Reading stops at the first record that is cut off or does not match its CRC: what a crash leaves behind.
 */
export const recordHeaderBytes = 8;
/** Longer payloads are refused when written and taken for damage when read. */
export const maxRecordBytes = 256 * 1024;

/** @throws RangeError when the payload is longer than `maxRecordBytes`. */
export function encodeRecord(payload: string): Buffer {
  const body = Buffer.from(payload, "utf8");
  if (body.length > maxRecordBytes)
    throw new RangeError(`record of ${body.length} bytes; at most ${maxRecordBytes} are kept`);
  const record = Buffer.allocUnsafe(recordHeaderBytes + body.length);
  record.writeUInt32BE(body.length, 0);
  record.writeUInt32BE(crc32(body), 4);
  body.copy(record, recordHeaderBytes);
  return record;
}

export interface DecodedRecord {
  /** Of the record's header within the bytes. */
  readonly offset: number;
  /** Header included. */
  readonly size: number;
  readonly payload: string;
}

/** All whole records from the start, and how many bytes they take. Never throws, whatever the bytes. */
export function decodeRecords(bytes: Buffer): { records: DecodedRecord[]; validBytes: number } {
  const records: DecodedRecord[] = [];
  let offset = 0;
  while (offset + recordHeaderBytes <= bytes.length) {
    const length = bytes.readUInt32BE(offset);
    const end = offset + recordHeaderBytes + length;
    // A length of 0 is what a file system leaves when it extended a file but lost its data.
    if (length === 0 || length > maxRecordBytes || end > bytes.length) break;
    const body = bytes.subarray(offset + recordHeaderBytes, end);
    if (crc32(body) !== bytes.readUInt32BE(offset + 4)) break;
    records.push({ offset, size: end - offset, payload: body.toString("utf8") });
    offset = end;
  }
  return { records, validBytes: offset };
}
