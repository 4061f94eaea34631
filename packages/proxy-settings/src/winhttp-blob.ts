import { byteReader } from "./byte-reader.ts";

/** The machine-wide WinHTTP proxy (domain 4.3). */
export interface WinHttpBlob {
  readonly ok: boolean;
  readonly signature: number;
  readonly flags: number;
  /** Flag 2: the named proxy is in force. Without it, direct. */
  readonly named: boolean;
  readonly server: string;
  readonly bypass: string;
}

/** Smallest structure version seen. */
const oldestSignature = 0x18;

/**
 * Decodes `Connections\WinHttpSettings` of either bitness (domain 4.3). Bytes after the two strings belong to newer
 * versions and are not read. Unreadable or absent means direct. Never throws.
 */
export function parseWinHttpBlob(bytes: Uint8Array): WinHttpBlob {
  const reader = byteReader(bytes);
  const signature = reader.u32();
  reader.u32();
  const flags = reader.u32();
  const readable = !reader.clipped() && signature >= oldestSignature;
  const server = readable ? reader.text() : "";
  const bypass = readable ? reader.text() : "";
  return {
    ok: readable && !reader.clipped(),
    signature,
    flags: readable ? flags : 0,
    named: readable && (flags & 2) !== 0,
    server,
    bypass,
  };
}
