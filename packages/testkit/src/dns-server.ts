import { createSocket } from "node:dgram";
import { once } from "node:events";

/** Records by `type name`, names in lower case: `A mail.contoso.com` → `["127.0.0.1"]`; SRV as `priority weight port target`. */
export type Zone = Readonly<Record<string, readonly string[]>>;

export interface DnsServer {
  readonly host: string;
  readonly port: number;
  /** `type name` of each question. */
  readonly asked: string[];
  close(): void;
}

const types: Record<number, string> = { 1: "A", 28: "AAAA", 33: "SRV" };

const encodeName = (name: string) =>
  Buffer.concat([
    ...name
      .split(".")
      .filter(Boolean)
      .map((label) => Buffer.concat([Buffer.from([label.length]), Buffer.from(label)])),
    Buffer.from([0]),
  ]);

function encodeRecord(type: number, value: string): Buffer {
  if (type === 1) return Buffer.from(value.split(".").map(Number));
  if (type === 33) {
    const [priority = "0", weight = "0", port = "0", target = "."] = value.split(" ");
    const head = Buffer.alloc(6);
    for (const [i, n] of [priority, weight, port].entries()) head.writeUInt16BE(Number(n), i * 2);
    return Buffer.concat([head, encodeName(target)]);
  }
  throw new Error(`no encoding for DNS type ${type}; A and SRV are known`);
}

/**
 * A DNS server over UDP on loopback for what a test names; everything else is NXDOMAIN.
 * @param failure answers every question with this rcode instead, or with nothing.
 */
export async function dnsServer(zone: Zone, failure?: "SERVFAIL" | "REFUSED" | "silent"): Promise<DnsServer> {
  const asked: string[] = [];
  const socket = createSocket("udp4");
  socket.on("message", (query, from) => {
    const labels: string[] = [];
    let at = 12;
    for (let length = query[at] ?? 0; length > 0; length = query[at] ?? 0) {
      labels.push(query.toString("latin1", at + 1, at + 1 + length));
      at += length + 1;
    }
    const type = query.readUInt16BE(at + 1);
    const question = query.subarray(12, at + 5);
    const name = labels.join(".").toLowerCase();
    asked.push(`${types[type] ?? type} ${name}`);
    if (failure === "silent") return;
    const records = failure ? [] : (zone[`${types[type]} ${name}`] ?? []);
    const exists = Object.keys(zone).some((key) => key.endsWith(` ${name}`));
    const rcode = failure === "SERVFAIL" ? 2 : failure === "REFUSED" ? 5 : exists ? 0 : 3;
    const header = Buffer.alloc(12);
    query.copy(header, 0, 0, 2);
    header.writeUInt16BE(0x8180 | rcode, 2);
    header.writeUInt16BE(1, 4);
    header.writeUInt16BE(records.length, 6);
    const body = records.map((value) => {
      const data = encodeRecord(type, value);
      const head = Buffer.from([0xc0, 12, 0, type, 0, 1, 0, 0, 0, 60, 0, 0]);
      head.writeUInt16BE(data.length, 10);
      return Buffer.concat([head, data]);
    });
    socket.send(Buffer.concat([header, question, ...body]), from.port, from.address);
  });
  socket.bind(0, "127.0.0.1");
  await once(socket, "listening");
  return { host: "127.0.0.1", port: socket.address().port, asked, close: () => socket.close() };
}
