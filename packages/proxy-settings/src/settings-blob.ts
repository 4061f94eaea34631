import type { SettingsBlob } from "@lynceus/protocol/facts";
import { limits } from "@lynceus/protocol/limits";
import { byteReader } from "./byte-reader.ts";
import { redactProxyList, redactProxyUrl } from "./redact.ts";

/** Bits of the flags field (domain 4.2). */
export const settingsFlags = { direct: 1, manual: 2, pac: 4, autoDetect: 8 } as const;

/** What stands after the three strings. Windows writes it, nobody needs it to find the route; kept for the raw view. */
export interface DiscoveryTail {
  readonly flags: number;
  readonly lastKnownGoodUrl: string;
  /** Milliseconds since 1970; null when detection never ran. */
  readonly lastDetection: number | null;
  readonly interfaces: readonly string[];
  readonly secondaryPacUrl: string;
  readonly reloadMinutes: number;
}

/** The decoded blob, and its tail as far as there is one. */
export type DecodedSettingsBlob = SettingsBlob & { readonly tail: DiscoveryTail | null };

/** Smallest structure version that .NET accepts: IE 5. */
const oldestSignature = 60;
/** Hundred-nanosecond ticks between 1601 and 1970. */
const epochTicks = 116_444_736_000_000_000n;
const maxInterfaces = 256;

function readTail(reader: ReturnType<typeof byteReader>): DiscoveryTail | null {
  if (reader.remaining() < 4) return null;
  const flags = reader.u32();
  const lastKnownGoodUrl = reader.text();
  const low = reader.u32();
  const ticks = (BigInt(reader.u32()) << 32n) | BigInt(low);
  const count = Math.min(reader.u32(), maxInterfaces, Math.floor(reader.remaining() / 4));
  const interfaces = Array.from({ length: count }, () => {
    const address = reader.u32();
    return [0, 8, 16, 24].map((shift) => (address >>> shift) & 255).join(".");
  });
  return {
    flags,
    lastKnownGoodUrl,
    lastDetection: ticks === 0n ? null : Number((ticks - epochTicks) / 10_000n),
    interfaces,
    secondaryPacUrl: reader.text(),
    reloadMinutes: reader.u32(),
  };
}

/**
 * Decodes `Connections\DefaultConnectionSettings`, or a VPN entry's value of the same format (domain 4.2).
 *
 * Strings are stored even when their flag is off, so the flags alone say what is in force. A blob that ends early is
 * read as far as it goes with `ok: false`; one whose flags cannot be read counts as "auto-detect on", as in Windows.
 * Never throws. The strings may hold secrets: `settingsBlobFacts` makes what may leave the machine.
 */
export function parseSettingsBlob(bytes: Uint8Array): DecodedSettingsBlob {
  const reader = byteReader(bytes);
  const signature = reader.u32();
  const counter = reader.u32();
  const flags = reader.u32();
  const readable = !reader.clipped() && signature >= oldestSignature;
  const server = readable ? reader.text() : "";
  const bypass = readable ? reader.text() : "";
  const pacUrl = readable ? reader.text() : "";
  const ok = readable && !reader.clipped();
  return {
    ok,
    signature,
    counter,
    flags: readable ? flags : 0,
    direct: readable ? (flags & settingsFlags.direct) !== 0 : true,
    manual: readable && (flags & settingsFlags.manual) !== 0,
    pac: readable && (flags & settingsFlags.pac) !== 0,
    autoDetect: !readable || (flags & settingsFlags.autoDetect) !== 0,
    server,
    bypass,
    pacUrl,
    tail: ok ? readTail(reader) : null,
  };
}

/** What of a blob may leave the machine: userinfo and queries removed, the tail left out, strings within the wire's limits. */
export function settingsBlobFacts(blob: SettingsBlob): SettingsBlob {
  const server = redactProxyList(blob.server);
  const pacUrl = redactProxyUrl(blob.pacUrl);
  const fits =
    server.length <= limits.listTextChars &&
    blob.bypass.length <= limits.listTextChars &&
    pacUrl.length <= limits.urlChars;
  return {
    ok: blob.ok && fits,
    signature: blob.signature,
    counter: blob.counter,
    flags: blob.flags,
    direct: blob.direct,
    manual: blob.manual,
    pac: blob.pac,
    autoDetect: blob.autoDetect,
    server: server.slice(0, limits.listTextChars),
    bypass: blob.bypass.slice(0, limits.listTextChars),
    pacUrl: pacUrl.slice(0, limits.urlChars),
  };
}
