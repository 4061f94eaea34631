import { type CauseInput, saveAttributions } from "@lynceus/db/causes";
import type { Database } from "@lynceus/db/client";

/** Causes that were named and are over, beside those that hold. */
const causesADay = 4;

interface Group {
  primaryPattern: string;
  route: string | null;
  site: string | null;
  ids: string[];
}

/** The shared values that the failing machines have, and as many that they had: causes with all their members. */
export async function seedCauses(db: Database, now: Date, days: number): Promise<void> {
  const groups = await db.prisma.$queryRaw<Group[]>`
    SELECT primary_pattern AS "primaryPattern", route, NULL AS site, array_agg(id::text ORDER BY id) AS ids FROM machines
    WHERE status = 'failing' AND primary_pattern IS NOT NULL AND route <> 'direct' GROUP BY 1, 2
    UNION ALL
    SELECT primary_pattern, NULL, site, array_agg(id::text ORDER BY id) FROM machines
    WHERE status = 'failing' AND primary_pattern IS NOT NULL AND route = 'direct' GROUP BY 1, 3`;
  const [totals] = await db.prisma.$queryRaw<{ failing: number; healthy: number; undecided: number }[]>`
    SELECT count(*) FILTER (WHERE status = 'failing')::int AS failing,
      count(*) FILTER (WHERE status = 'healthy')::int AS healthy,
      count(*) FILTER (WHERE status = 'cannot-tell')::int AS undecided FROM machines`;
  const { failing = 0, healthy = 0, undecided = 0 } = totals ?? {};
  const open = groups
    .sort((a, b) => b.ids.length - a.ids.length)
    .slice(0, 8)
    .map((group) => causeOf(group, failing, healthy, now));
  const explained = open.reduce((sum, cause) => sum + cause.explains, 0);
  const save = (at: Date, causes: readonly CauseInput[]) =>
    saveAttributions(db, {
      now: at,
      simulated: true,
      attributions: [
        {
          simulated: true,
          location: "inside",
          failing,
          healthy,
          undecided,
          noCause: causes.length > 0 ? null : "nothing-separates",
          unexplained: Math.max(0, failing - explained),
          unexplainedSample: [],
          causes,
          candidates: causes.map(({ key, value, counts }) => ({ key, value, ...counts })),
        },
      ],
    });
  for (let day = days; day > 0; day--) {
    const at = new Date(now.getTime() - day * 86_400_000);
    const past = open.slice(0, causesADay).map((cause, i) => ({
      ...cause,
      value: `past-${day}-${i}.example.org:8080`,
      text: `past-${day}-${i}.example.org:8080 explained ${cause.explains} of ${failing} failing machines`,
      // Yesterday's troubles were smaller.
      members: cause.members.slice(0, 100),
    }));
    await save(at, past);
    await save(new Date(at.getTime() + 7_200_000), []);
  }
  await save(now, open);
}

function causeOf(group: Group, failing: number, healthy: number, now: Date): CauseInput {
  const { ids, route, site } = group;
  const value = route ?? site ?? "";
  return {
    key: route === null ? "site" : "proxy",
    value,
    text: `${value} explains ${ids.length} of the ${failing} failing machines`,
    explains: ids.length,
    of: failing,
    counts: {
      failingWith: ids.length,
      failingWithout: failing - ids.length,
      failingUnknown: 0,
      healthyWith: 0,
      healthyWithout: healthy,
      healthyUnknown: 0,
      logP: -ids.length,
    },
    confidence: "high",
    firstSeen: now.getTime() - 40_000_000,
    change: null,
    also: [],
    members: ids,
    failingOthers: [],
    healthyMembers: [],
  };
}
