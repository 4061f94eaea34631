import type { ProxyAddress } from "@lynceus/protocol/facts";
import { splitHostPort, withoutUserinfo } from "./host-port.ts";

/** One way that a script offers. */
export type PacChoice = { readonly kind: "direct" } | { readonly kind: "proxy"; readonly proxy: ProxyAddress };

const kinds: Readonly<Record<string, { scheme: ProxyAddress["scheme"]; port: number }>> = {
  proxy: { scheme: "http", port: 80 },
  http: { scheme: "http", port: 80 },
  https: { scheme: "https", port: 443 },
  socks: { scheme: "socks4", port: 1080 },
  socks4: { scheme: "socks4", port: 1080 },
  socks5: { scheme: "socks5", port: 1080 },
};

const direct: PacChoice = { kind: "direct" };

/** Bound of entries that are looked at: a script is hostile. */
const maxEntries = 256;

function parseChoice(entry: string): PacChoice | null {
  const words = entry.split(/\s+/, 3);
  const word = words[0]?.toLowerCase() ?? "";
  if (word === "direct" && words.length === 1) return direct;
  const kind = Object.hasOwn(kinds, word) ? kinds[word] : undefined;
  if (!kind || words.length !== 2) return null;
  const address = splitHostPort(withoutUserinfo(words[1] ?? ""));
  return address
    ? { kind: "proxy", proxy: { scheme: kind.scheme, host: address.host, port: address.port ?? kind.port } }
    : null;
}

/** What a script returned, entry by entry: the choices, and the entries that are none. */
export function readPacResult(text: string): { choices: PacChoice[]; invalid: string[] } {
  const choices: PacChoice[] = [];
  const invalid: string[] = [];
  for (const part of text.split(";", maxEntries)) {
    const entry = part.trim();
    if (entry === "") continue;
    const choice = parseChoice(entry);
    if (choice) choices.push(choice);
    else invalid.push(withoutUserinfo(entry).slice(0, 256));
  }
  return { choices, invalid };
}

/**
 * The choices of a `FindProxyForURL` result, best first (domain 4.6):
 * `DIRECT | PROXY h[:p] | SOCKS h[:p] | SOCKS4 | SOCKS5 | HTTP h[:p] | HTTPS h[:p]`, separated by `;`.
 * Unknown entries are skipped; empty, or nothing usable, means direct. Never throws.
 */
export function parsePacResult(text: string): PacChoice[] {
  const { choices } = readPacResult(text);
  return choices.length > 0 ? choices : [direct];
}
