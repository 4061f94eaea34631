import { BlockList, isIP } from "node:net";
import { isWholeFleet } from "@lynceus/protocol/access";
import { writeAudit } from "./audit.ts";
import type { Database } from "./client.ts";
import { type FleetReader, machines } from "./scope.ts";

/** One line of the admin's map: `10.40.0.0/16` is `Manila`. */
export interface SiteSubnet {
  cidr: string;
  site: string;
}

/** Why a subnet was refused; may be shown. */
export class SiteSubnetError extends Error {
  override readonly name = "SiteSubnetError";
}

/** The map, by site; of the sites in view, where a part of the fleet is seen. */
export function listSiteSubnets(db: FleetReader): Promise<SiteSubnet[]> {
  const { sites } = db.scope;
  return db.prisma.siteSubnet.findMany({
    ...(isWholeFleet(db.scope) ? {} : { where: { site: { in: [...(sites ?? [])] } } }),
    orderBy: [{ site: "asc" }, { cidr: "asc" }],
  });
}

function parseCidr(cidr: string): { address: string; bits: number; family: "ipv4" | "ipv6" } {
  const [address = "", prefix = "", ...rest] = cidr.split("/");
  const version = isIP(address);
  const bits = /^\d{1,3}$/.test(prefix) ? Number(prefix) : -1;
  if (version === 0 || bits < 0 || bits > (version === 4 ? 32 : 128) || rest.length > 0)
    throw new SiteSubnetError(`subnet "${cidr}" is not in CIDR form; use e.g. 10.40.0.0/16`);
  return { address, bits, family: version === 4 ? "ipv4" : "ipv6" };
}

/** A subnet within a wider one of another site: machines in both are at its own. */
export interface SubnetOverlap {
  inner: SiteSubnet;
  /** The narrowest of those around it. */
  outer: SiteSubnet;
}

/** Subnets that lie within one of another site, in the order of the map. */
export function subnetOverlaps(subnets: readonly SiteSubnet[]): SubnetOverlap[] {
  const known = subnets.map((subnet) => ({ subnet, ...networkOf(parseCidr(subnet.cidr)) }));
  const byNetwork = new Map(
    known.map((one) => [`${one.size}:${one.bits}:${one.network >> BigInt(one.size - one.bits)}`, one]),
  );
  return known.flatMap(({ subnet: inner, size, bits, network }) => {
    for (let wider = bits - 1; wider >= 0; wider--) {
      const outer = byNetwork.get(`${size}:${wider}:${network >> BigInt(size - wider)}`)?.subnet;
      if (outer) return outer.site === inner.site ? [] : [{ inner, outer }];
    }
    return [];
  });
}

/** The address as a number; `size` is how many bits its family has. */
function networkOf({ address, bits, family }: ReturnType<typeof parseCidr>) {
  if (family === "ipv4")
    return {
      size: 32,
      bits,
      network: address.split(".").reduce((sum, part) => sum * BigInt(256) + BigInt(part), BigInt(0)),
    };
  // The URL parser writes every IPv6 address in one way: hexadecimal groups, at most one run of zeros left out.
  const [head = "", tail] = new URL(`http://[${address.replace(/%.*$/, "")}]`).hostname.slice(1, -1).split("::");
  const groups = (text: string) => text.split(":").filter((group) => group !== "");
  const [before, after] = [groups(head), groups(tail ?? "")];
  const zeros = Array.from({ length: 8 - before.length - after.length }, () => "0");
  return {
    size: 128,
    bits,
    network: BigInt(`0x${[...before, ...zeros, ...after].map((g) => g.padStart(4, "0")).join("")}`),
  };
}

/** The map was changed after it was read. */
export class SiteMapChangedError extends SiteSubnetError {
  constructor() {
    super("the map was changed by somebody else since it was read; read it again, then change it");
  }
}

/**
 * Replaces the map. Throws a SiteSubnetError for a subnet that is none, or is listed twice, and, where `was` says what
 * the map was when it was read, a SiteMapChangedError if it is another one now.
 */
export async function saveSiteSubnets(
  db: Database,
  subnets: readonly SiteSubnet[],
  by: { actor: string },
  was?: readonly SiteSubnet[],
): Promise<void> {
  const seen = new Set<string>();
  for (const { cidr } of subnets) {
    parseCidr(cidr);
    if (seen.has(cidr)) throw new SiteSubnetError(`subnet "${cidr}" is listed twice; a subnet belongs to one site`);
    seen.add(cidr);
  }
  await db.prisma.$transaction(async (prisma) => {
    await prisma.$executeRaw`LOCK TABLE site_subnets IN SHARE ROW EXCLUSIVE MODE`;
    const before = await prisma.siteSubnet.findMany();
    if (was !== undefined && !sameMap(before, was)) throw new SiteMapChangedError();
    await prisma.siteSubnet.deleteMany();
    await prisma.siteSubnet.createMany({ data: [...subnets] });
    await writeAudit({ prisma }, { actor: by.actor, action: "sites.save", subject: "sites", before, after: subnets });
    await prisma.$executeRaw`SELECT pg_notify('lynceus', '')::text`;
  });
}

function sameMap(a: readonly SiteSubnet[], b: readonly SiteSubnet[]): boolean {
  const sites = new Map(a.map(({ cidr, site }) => [cidr, site]));
  return a.length === b.length && b.every(({ cidr, site }) => sites.get(cidr) === site);
}

/** Names of the sites that machines are at, in order. */
export async function listSites(db: FleetReader): Promise<string[]> {
  const rows = await db.prisma.$queryRaw<{ site: string }[]>`
    SELECT DISTINCT site FROM ${machines(db)} m WHERE site IS NOT NULL AND revoked_at IS NULL ORDER BY 1`;
  return rows.map((row) => row.site);
}

/** A function from a machine's private addresses to its site, or null: the longest prefix wins, then the first address. */
export function siteFinder(subnets: readonly SiteSubnet[]): (addresses: readonly string[]) => string | null {
  const lists = subnets
    .map(({ cidr, site }) => {
      const { address, bits, family } = parseCidr(cidr);
      const list = new BlockList();
      list.addSubnet(address, bits, family);
      return { list, bits, family, site };
    })
    .sort((a, b) => b.bits - a.bits);
  return (addresses) => {
    const known = addresses.filter((address) => isIP(address) !== 0);
    const found = lists.find(({ list, family }) =>
      known.some((address) => (isIP(address) === 4) === (family === "ipv4") && list.check(address, family)),
    );
    return found?.site ?? null;
  };
}
