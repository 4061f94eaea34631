import { createHash } from "node:crypto";
import type { Fault } from "../fleet/faults.ts";
import { pick, type Random, seeded } from "../fleet/random.ts";

/*
 * A company of any size, the same for the same seed: its sites, its machines, and what is wrong with some of them.
 * Nothing here knows a database or a clock.
 */

export interface SeedSite {
  readonly name: string;
  /** Head of its machines' names. */
  readonly head: string;
  /** First two bytes of its private network, a /16. */
  readonly network: string;
  /** Its machines reach Exchange through a proxy. */
  readonly proxied: boolean;
}

const cities =
  "Singapore Manila Bengaluru Sydney Tokyo Perth Chicago Austin Vienna Graz Zürich Kraków Berlin Munich Hamburg Paris Lyon Madrid Lisbon Milan Rome London Leeds Dublin Oslo Stockholm Helsinki Warsaw Prague Budapest Athens Istanbul Dubai Mumbai Bangkok Jakarta Seoul Taipei Auckland Toronto".split(
    " ",
  );

/** Forty sites, the first ones with most machines. */
export const seedSites: readonly SeedSite[] = cities.map((name, index) => ({
  name,
  head: name.normalize("NFD").replace(/\W/g, "").slice(0, 3).toUpperCase(),
  network: `10.${index + 1}`,
  proxied: index % 3 === 0,
}));

/** What a machine shows: a state of the templates, and what became of it since. */
export interface SeedMachine {
  readonly id: string;
  readonly hostname: string;
  readonly site: SeedSite;
  readonly address: string;
  readonly fault: Fault;
  readonly end: "stale" | "signed-off" | null;
  readonly agentVersion: string;
  readonly osVersion: string;
  readonly tags: readonly string[];
  /** Seconds before now. */
  readonly sinceAgo: number;
  readonly seenAgo: number;
}

export interface CompanyOptions {
  readonly machines: number;
  readonly openFindings: number;
  readonly seed: number;
}

/** Share of the fleet with each fault; what is left of the open findings after these becomes the last one. */
const faultPlan: readonly { fault: Fault; share: number; proxied?: boolean; sites?: readonly string[] }[] = [
  { fault: "proxy-login", share: 0.016, proxied: true, sites: ["Singapore", "Sydney", "Chicago", "Graz"] },
  { fault: "ews-stopped", share: 0.002, sites: ["Lyon"] },
  { fault: "proxy-dead", share: 0.005 },
  { fault: "port-closed", share: 0.0045, proxied: false },
  { fault: "proxy-refuses", share: 0.0025 },
  { fault: "no-network-names", share: 0.005 },
  { fault: "proxy-silent-login", share: 0.004 },
  { fault: "script-gone", share: 0.006 },
  { fault: "interception", share: 1, proxied: false },
];

/** How many findings a machine of a site has that has a fault. */
type FindingsOf = (machine: Pick<SeedMachine, "fault" | "site">) => number;

/** Lower numbers come more often: sites of a company are not alike. */
const skewed = (random: Random, count: number) => Math.min(count - 1, Math.floor(count * random() ** 2));

const uuid = (text: string) => {
  const hex = createHash("md5").update(text).digest("hex");
  return `${hex.slice(0, 8)}-${hex.slice(8, 12)}-4${hex.slice(13, 16)}-8${hex.slice(17, 20)}-${hex.slice(20)}`;
};

/**
 * The machines of a company in order of their ids.
 * @param findingsOf faults are given out until `openFindings` are reached.
 */
export function seedCompany(options: CompanyOptions, findingsOf: FindingsOf): SeedMachine[] {
  const random = seeded(options.seed);
  const places = Array.from({ length: options.machines }, () => skewed(random, seedSites.length));
  const faults = giveFaults(places, options, random, findingsOf);
  return places
    .map((place, index): SeedMachine => {
      const site = seedSites[place] as SeedSite;
      const fault = faults[index] ?? "none";
      const kind = pick(random, ["LT", "LT", "LT", "WS", "WS", "VDI"]);
      const ended = random();
      // What fails was seen; a share of the others is asleep or silent.
      const end = fault !== "none" ? null : ended < 0.18 ? "signed-off" : ended < 0.2 ? "stale" : null;
      return {
        id: uuid(`${options.seed} ${index}`),
        hostname: `${site.head}-${kind}-${String(index + 1).padStart(5, "0")}`,
        site,
        address: `${site.network}.${(index >> 7) & 255}.${(index & 127) + 10}`,
        fault,
        end,
        agentVersion: pick(random, ["1.4.2", "1.4.2", "1.4.2", "1.5.0", "1.5.0", "1.3.9"]),
        osVersion: pick(random, ["Windows 11 24H2", "Windows 11 24H2", "Windows 11 23H2", "Windows 10 22H2"]),
        tags: [...(random() < 0.02 ? ["vip"] : []), ...(random() < 0.1 ? ["pilot"] : []), kind.toLowerCase()],
        sinceAgo:
          end === "stale" ? 2_700 + random() * 86_400 : fault === "none" ? random() * 1_200_000 : random() * 43_200,
        seenAgo:
          end === "signed-off" ? random() * 200_000 : end === "stale" ? 5_400 + random() * 86_400 : random() * 900,
      };
    })
    .sort((a, b) => (a.id < b.id ? -1 : 1));
}

function giveFaults(
  places: readonly number[],
  options: CompanyOptions,
  random: Random,
  findingsOf: FindingsOf,
): (Fault | undefined)[] {
  const faults: (Fault | undefined)[] = new Array(places.length);
  const order = places.map((_, index) => ({ index, at: random() })).sort((a, b) => a.at - b.at);
  let open = 0;
  for (const { fault, share, proxied, sites } of faultPlan) {
    let wanted = Math.ceil(share * places.length);
    for (const { index } of order) {
      if (wanted === 0) break;
      const site = seedSites[places[index] as number] as SeedSite;
      const each = findingsOf({ fault, site });
      if (open + each > options.openFindings) continue;
      if (faults[index] !== undefined || (proxied !== undefined && site.proxied !== proxied)) continue;
      if (sites && !sites.includes(site.name)) continue;
      faults[index] = fault;
      open += each;
      wanted -= 1;
    }
  }
  return faults;
}
