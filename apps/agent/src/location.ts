import type { SystemFacts } from "@lynceus/protocol/facts";
import type { Location } from "@lynceus/protocol/names";
import type { Policy } from "@lynceus/protocol/policy";
import type { ProbeContext } from "./probes/context.ts";
import { isInsideFence } from "./probes/fence.ts";
import { forcedDirect } from "./probes/probe.ts";
import { reach } from "./probes/reach.ts";
import { handshake } from "./probes/tls.ts";

export interface Located {
  readonly location: Location;
  readonly by: SystemFacts["locationBy"];
}

const under = (name: string, suffix: string) => name === suffix || name.endsWith(`.${suffix}`);

/** Whether the beacon answers with the pinned key; null when it may not be asked. */
async function seesBeacon(beacon: NonNullable<Policy["beacon"]>, ctx: ProbeContext): Promise<boolean | null> {
  const url = URL.canParse(beacon.url) ? new URL(beacon.url) : null;
  if (url?.protocol !== "https:") return null;
  const host = url.hostname.replace(/^\[|\]$/g, "");
  const port = Number(url.port || 443);
  if (!isInsideFence(host, port, ctx.fence)) return null;
  const { socket } = await reach(host, port, forcedDirect, ctx);
  if (!socket) return false;
  const tls = await handshake(socket, host, ctx);
  tls.socket?.destroy();
  // The key alone decides: whose certificate it is bound to is of no matter here.
  return tls.phase.spkiSha256 === beacon.spkiSha256;
}

/**
 * Where the machine stands (domain 5.0 rule 3): by the beacon if the policy has one, else by its DNS suffixes, else
 * unknown. Inside over a VPN is `vpn`.
 */
export async function locate(
  policy: Pick<Policy, "beacon" | "insideSuffixes">,
  system: Pick<SystemFacts, "dnsSuffixes" | "vpnUp">,
  ctx: ProbeContext,
): Promise<Located> {
  const where = (inside: boolean): Location => (inside ? (system.vpnUp ? "vpn" : "inside") : "outside");
  if (policy.beacon) {
    const seen = await seesBeacon(policy.beacon, ctx);
    return seen === null ? { location: "unknown", by: "none" } : { location: where(seen), by: "beacon" };
  }
  if (policy.insideSuffixes.length === 0) return { location: "unknown", by: "none" };
  const inside = policy.insideSuffixes.some((suffix) =>
    system.dnsSuffixes.some((name) => under(name, suffix.toLowerCase())),
  );
  return { location: where(inside), by: "rule" };
}
