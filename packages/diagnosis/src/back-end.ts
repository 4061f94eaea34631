import type { ProbeSlot } from "@lynceus/protocol/state";
import { isIP } from "@lynceus/proxy-settings/ip";

/** The part of a ring entry's peer ("10.1.20.15 EX03") that is the server's own name. */
function nameOf(peer: string | null): string | null {
  if (peer === null) return null;
  const space = peer.indexOf(" ");
  const name = space < 0 ? peer : peer.slice(space + 1);
  return name === "" || (space < 0 && isIP(name)) ? null : name;
}

/**
 * The Exchange server that answers this machine. A failing one may send no name (5.0 rule 11); then it is the one that
 * answered last, because a balancer keeps a client at its server. Null when none ever named itself.
 */
export function backEndName(slot: ProbeSlot): string | null {
  const present = slot.facts.http?.headers["x-feserver"];
  if (present) return present;
  // Behind another tunnel or in another place, another balancer may have answered.
  const last = slot.ring.findLast((entry) => entry.location === slot.location && nameOf(entry.peer) !== null);
  return last ? nameOf(last.peer) : null;
}

/** The address that EWS was connected to; null where the connection was the proxy's. */
export const exchangeAddress = (slot: ProbeSlot): string | null =>
  slot.facts.route.kind === "direct" ? (slot.facts.tcp?.address ?? null) : null;

/** What tells back ends apart in a fleet: the server's name, else its address. */
export const backEndOf = (slot: ProbeSlot): string | null => backEndName(slot) ?? exchangeAddress(slot);

/** Addresses of EWS's name as the machine's own resolver gives them, sorted; null where it did not have to ask. */
export function dnsAnswerOf(direct: ProbeSlot | null): string | null {
  const dns = direct?.facts.dns;
  if (!dns?.ok || dns.rcode === "LITERAL" || dns.addresses.length === 0) return null;
  return [...new Set(dns.addresses)].sort().join(" ");
}
