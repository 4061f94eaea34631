import type { AttributionKey } from "@lynceus/protocol/names";
import { type ChangeEvent, none, type Subject, type SubjectValues } from "../src/attribution/types.ts";

/* Made-up fleets, the same for the same seed, whose causes are known because they were planted. */

export type Random = () => number;

/** mulberry32: small, and the same everywhere. */
export function seeded(seed: number): Random {
  let state = seed >>> 0;
  return () => {
    state = (state + 0x6d2b79f5) >>> 0;
    let t = state;
    t = Math.imul(t ^ (t >>> 15), t | 1);
    t ^= t + Math.imul(t ^ (t >>> 7), t | 61);
    return ((t ^ (t >>> 14)) >>> 0) / 4_294_967_296;
  };
}
export const pick = <T>(random: Random, items: readonly T[]): T => items[Math.floor(random() * items.length)] as T;

export interface Machine {
  readonly id: string;
  readonly values: Readonly<Record<AttributionKey, string>>;
}

/** What was planted: the machines that have this value fail. */
export interface Planted {
  readonly key: AttributionKey;
  readonly value: string;
  /** When it began, and the change that made it. */
  readonly at: number;
}

export const start = 1_790_000_000_000;
const minute = 60_000;

export interface Shape {
  readonly machines: number;
  readonly sites: number;
  /** Proxies that stand in one site and serve all of it, by the number of the site. */
  readonly proxyPerSite?: boolean;
  /** Most of what a machine has follows from its site, as where each site was rolled out by itself. */
  readonly alike?: boolean;
}

/** Sites of very different size, each with its networks; a few proxies, scripts, servers and versions across them. */
export function makeFleet(random: Random, { machines, sites, proxyPerSite = false, alike = false }: Shape): Machine[] {
  const weights = Array.from({ length: sites }, (_, index) => 1 / (index + 1));
  const total = weights.reduce((sum, weight) => sum + weight, 0);
  const siteOf = (): number => {
    let left = random() * total;
    const found = weights.findIndex((weight) => {
      left -= weight;
      return left <= 0;
    });
    return found < 0 ? sites - 1 : found;
  };
  return Array.from({ length: machines }, (_, index) => {
    const site = siteOf();
    // Where sites are alike in themselves, nine in ten machines have what is usual at their site.
    const own = <T>(items: readonly T[]): T =>
      alike && random() < 0.9 ? (items[site % items.length] as T) : pick(random, items);
    const proxy = proxyPerSite ? `px-${site}:8080` : own(["px1:8080", "px2:8080", none, "px3:8080", none]);
    const script = own(["a", "b", "a", none, "a", "b"]);
    const issuer = random() < 0.97 ? "Contoso CA" : "Inspection CA";
    return {
      id: `m${String(index).padStart(6, "0")}`,
      values: {
        "settings-wave": random() < 0.15 ? "c9@2026-11-22T08:00Z" : none,
        "pac-hash": script === none ? none : `${script}${own(["1", "2", "1", "1"])}`.repeat(32),
        "pac-url": script === none ? none : `http://pac-${script}.example.org/proxy.pac`,
        proxy,
        "back-end": own(["EX01", "EX02", "EX03", "EX04", "EX05"]),
        address: proxy === none ? "10.1.20.15" : none,
        "tls-spki": issuer === "Contoso CA" ? "aa".repeat(32) : "bb".repeat(32),
        "tls-issuer": issuer,
        resolver: `10.${site}.0.${pick(random, [2, 3])}`,
        subnet: `10.${site}.${pick(random, [1, 2, 3, 4])}.0/24`,
        site: `site ${site}`,
        "policy-version": own(["7", "7", "7", "7", "6"]),
        "agent-version": own(["1.4.0", "1.4.0", "1.4.0", "1.3.2", "1.5.0"]),
        "os-build": own(["windows 10.0.19045", "windows 10.0.22631", "windows 10.0.26100", "linux 12"]),
        "route-kind": proxy === none ? "direct" : "proxy",
      },
    };
  });
}

export const has = (machine: Machine, { key, value }: Pick<Planted, "key" | "value">): boolean =>
  machine.values[key] === value;

export interface Trouble {
  /** Share of the machines with a planted value that fail. */
  readonly hit: number;
  /** Share of the others that fail, each for a reason of its own. */
  readonly noise: number;
  /** Share of all values that is not known. */
  readonly unknown?: number;
}

/** What a failing connection no longer shows. */
const beyondTheConnection: readonly AttributionKey[] = ["back-end", "tls-spki", "tls-issuer"];

/** The fleet as it is observed: who fails, since when, and what of its values is known. */
export function observeFleet(
  random: Random,
  fleet: readonly Machine[],
  planted: readonly Planted[],
  { hit, noise, unknown = 0.02 }: Trouble,
): Subject[] {
  const keys = new Set(planted.map(({ key }) => key));
  return fleet.map((machine): Subject => {
    const cause = planted.find((one) => has(machine, one));
    const failing = random() < (cause ? hit : noise);
    // A probe each quarter of an hour sees it within that time; what fails by itself has done so for days.
    const failingSince = cause ? cause.at + random() * 15 * minute : start - random() * 5 * 24 * 60 * minute;
    const values: Partial<Record<AttributionKey, string | null>> = { ...machine.values };
    for (const key of Object.keys(values) as AttributionKey[]) if (random() < unknown) values[key] = null;
    if (failing && random() < 0.5) for (const key of beyondTheConnection) if (!keys.has(key)) values[key] = null;
    if (machine.values.address === none) values.address = null;
    return {
      id: machine.id,
      location: "inside",
      failing,
      failingSince: failing ? Math.round(failingSince) : null,
      values: values as SubjectValues,
    };
  });
}

/** The change that made each cause, and others that made none: one before, one of few machines, one after. */
export function makeChanges(random: Random, fleet: readonly Machine[], planted: readonly Planted[]): ChangeEvent[] {
  const event = (changeKey: string, at: number, machines: readonly Machine[]): ChangeEvent => ({
    at,
    changeKey,
    text: changeKey,
    key: null,
    value: null,
    machines: machines.map(({ id }) => id),
  });
  const some = (share: number) => fleet.filter(() => random() < share);
  return [
    event("agents updated", start - 20 * minute, fleet),
    event("a few settings", start - 10 * minute, some(0.03)),
    event("after the failure", start + 60 * minute, some(0.5)),
    ...planted.map((one) => ({
      ...event(
        `${one.key} ${one.value}`,
        one.at - 2 * minute,
        fleet.filter((machine) => has(machine, one)),
      ),
      ...(random() < 0.5 ? { key: one.key, value: one.value } : {}),
    })),
  ];
}
