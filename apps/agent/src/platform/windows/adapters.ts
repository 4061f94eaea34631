import { linked, type MemoryView, pointerAt, textAt, u32At } from "./memory-view.ts";

/** A network adapter as GetAdaptersAddresses tells it, as far as Node does not. */
export interface Adapter {
  /** Its name as in the control panel; that of a VPN or dial-up adapter is its connection's. */
  readonly name: string;
  readonly description: string;
  readonly suffix: string;
  /** IANA type: 6 Ethernet, 23 PPP, 71 Wi-Fi, 131 tunnel. */
  readonly type: number;
  readonly up: boolean;
  readonly gateways: readonly string[];
  readonly resolvers: readonly string[];
}

/** Offsets of IP_ADAPTER_ADDRESSES on 64-bit Windows (iptypes.h). */
const at = {
  next: 8,
  resolvers: 48,
  suffix: 56,
  description: 64,
  name: 72,
  type: 100,
  status: 104,
  gateways: 208,
} as const;
/** Of the lists of addresses below an adapter: the next one, and the pointer to the socket address. */
const entry = { next: 8, address: 16 } as const;
const up = 1;
const families = { v4: 2, v6: 23 } as const;

/** IPv4 or IPv6 address of a sockaddr; null for any other. */
function addressAt(view: MemoryView, offset: number | null): string | null {
  if (offset === null) return null;
  const family = u32At(view, offset) & 0xffff;
  const bytes = (from: number, count: number) => view.bytes.subarray(offset + from, offset + from + count);
  if (family === families.v4) {
    const four = bytes(4, 4);
    return four.length === 4 ? four.join(".") : null;
  }
  if (family !== families.v6) return null;
  const sixteen = Buffer.from(bytes(8, 16));
  if (sixteen.length < 16) return null;
  return Array.from({ length: 8 }, (_, i) => sixteen.readUInt16BE(2 * i).toString(16)).join(":");
}

const addressesOf = (view: MemoryView, first: number | null): string[] =>
  [...linked(view, first, entry.next, 32)].flatMap(
    (one) => addressAt(view, pointerAt(view, one + entry.address)) ?? [],
  );

/** Reads the list that GetAdaptersAddresses wrote. Never throws; what does not fit is left out. */
export function decodeAdapters(view: MemoryView): Adapter[] {
  if (view.bytes.length < at.gateways + 8) return [];
  return [...linked(view, 0, at.next)].map((one) => ({
    name: textAt(view, pointerAt(view, one + at.name)),
    description: textAt(view, pointerAt(view, one + at.description)),
    suffix: textAt(view, pointerAt(view, one + at.suffix))
      .toLowerCase()
      .replace(/\.$/, ""),
    type: u32At(view, one + at.type),
    up: u32At(view, one + at.status) === up,
    gateways: addressesOf(view, pointerAt(view, one + at.gateways)),
    resolvers: addressesOf(view, pointerAt(view, one + at.resolvers)),
  }));
}

const ppp = 23;
/** Types and names under which VPN clients bring their adapters. */
const tunnels =
  /\b(?:vpn|anyconnect|globalprotect|pangp|wireguard|wintun|openvpn|tap-windows|fortinet|forticlient|pulse secure|juniper|zscaler|check point|netmotion|sonicwall)\b/i;

/** Whether one of the adapters that are up is a VPN's. */
export const isVpnUp = (adapters: readonly Adapter[]): boolean =>
  adapters.some((one) => one.up && (one.type === ppp || tunnels.test(`${one.name} ${one.description}`)));

/** Hardware address of a neighbour in MIB_IPNETTABLE, in hex; empty where the table does not have it. */
export function neighbourOf(table: MemoryView, address: string): string {
  const rows = Math.min(u32At(table, 0), Math.floor((table.bytes.length - 4) / 24));
  for (let row = 0; row < rows; row++) {
    const offset = 4 + row * 24;
    const length = Math.min(u32At(table, offset + 4), 8);
    if (table.bytes.subarray(offset + 16, offset + 20).join(".") !== address) continue;
    return Buffer.from(table.bytes.subarray(offset + 8, offset + 8 + length)).toString("hex");
  }
  return "";
}

/** Entry names of RASCONN structures (ras.h, packed to four bytes), each `size` bytes long. */
export function rasNames(view: MemoryView, count: number, size: number): string[] {
  const fitting = Math.min(count, Math.floor(view.bytes.length / size), 64);
  return Array.from({ length: Math.max(0, fitting) }, (_, i) => textAt(view, i * size + 12, 257)).filter(
    (name) => name !== "",
  );
}

/** Version of a file, such as `16.0.5266.1000`, from its version resource: VS_FIXEDFILEINFO is found by its mark. */
export function fileVersion(resource: Uint8Array): string | null {
  const bytes = Buffer.from(resource.buffer, resource.byteOffset, resource.byteLength);
  const offset = bytes.indexOf(Buffer.from([0xbd, 0x04, 0xef, 0xfe]));
  if (offset < 0 || offset + 16 > bytes.length) return null;
  const word = (from: number) => bytes.readUInt16LE(offset + from);
  return [word(10), word(8), word(14), word(12)].join(".");
}
