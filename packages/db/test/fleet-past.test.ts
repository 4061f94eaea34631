import { beforeAll, describe, expect, it } from "vitest";
import { fleetAt, incidentsAt, takenBy } from "../src/fleet-past.ts";
import { recordSample } from "../src/samples.ts";
import { fleetOf } from "../src/scope.ts";
import { type Parts, seedParts } from "../src/testing-parts.ts";
import { machine, minutesAgo, now, useDatabase } from "./fixtures.ts";

describe("the fleet at a moment gone by", () => {
  const at = useDatabase();
  const parts = {} as Parts;

  beforeAll(async () => {
    Object.assign(parts, await seedParts(at.db, now));
    await machine(at.db, "NOWHERE", { site: null });
    await recordSample(at.db, minutesAgo(60));
    await machine(at.db, "LATER", { site: "Bern" });
    await recordSample(at.db, minutesAgo(30));
  });

  it("is its last count before, with what is at no site", async () => {
    const then = await fleetAt(at.db, { at: minutesAgo(58) });
    expect(then?.at).toEqual(minutesAgo(60));
    const reporting = (site: string | null) =>
      then?.sites.filter((one) => one.site === site).map((one) => one.healthy + one.failing + one.cannotTell);
    expect(reporting("Bern")).toEqual([1]);
    expect(reporting(null)).toEqual([1]);
    expect(then?.sites.find(({ site }) => site === "Bern")?.patterns).toEqual({ "proxy-auth-required": 1 });
    expect(then?.agents).toEqual({ "0.1.0": 3 });
    const later = await fleetAt(at.db, { at: minutesAgo(29), site: "Bern" });
    expect(later?.sites.map(({ site }) => site)).toEqual(["Bern"]);
    expect(later?.agents).toBeNull();
  });

  it("is not known where nobody counted, nor to who sees machines by tag", async () => {
    expect(await fleetAt(at.db, { at: minutesAgo(40) })).toBeNull();
    expect(await fleetAt(at.db, { at: minutesAgo(61) })).toBeNull();
    expect(await fleetAt(fleetOf(at.db, { sites: ["Bern"], tags: ["vip"] }), { at: minutesAgo(60) })).toBeNull();
    const bern = await fleetAt(fleetOf(at.db, { sites: ["Bern"], tags: null }), { at: minutesAgo(58) });
    expect(bern?.sites.map(({ site }) => site)).toEqual(["Bern"]);
    expect(bern?.agents).toBeNull();
  });

  it("has the incidents that were open, with the machines they had by then and nobody who came later", async () => {
    const number = Number(parts.BERN.incident);
    const { openedAt } = await at.db.prisma.incident.findUniqueOrThrow({ where: { number } });
    const plus = (minutes: number) => new Date(openedAt.getTime() + minutes * 60_000);
    await at.db.prisma.incidentMember.update({
      where: { incident_machineId: { incident: number, machineId: parts.BERN.machine } },
      data: { joinedAt: plus(2), leftAt: plus(6) },
    });
    await at.db.prisma.incident.update({
      where: { number },
      data: {
        live: false,
        state: "resolved",
        endedAt: plus(8),
        endedHow: "resolved",
        acknowledgedAt: plus(4),
        acknowledgedBy: "ann",
        acknowledgedVia: "dashboard",
      },
    });
    const seen = async (minutes: number) =>
      (await incidentsAt(at.db, plus(minutes)))
        .filter((incident) => incident.number === number)
        .map(({ state, failing, endedAt, acknowledged }) => [state, failing, endedAt, acknowledged?.by ?? null]);
    expect(await seen(-1)).toEqual([]);
    expect(await seen(1)).toEqual([["open", 0, null, null]]);
    expect(await seen(3)).toEqual([["open", 1, null, null]]);
    expect(await seen(5)).toEqual([["acknowledged", 1, null, "ann"]]);
    expect(await seen(7)).toEqual([["acknowledged", 0, null, "ann"]]);
    expect(await seen(9)).toEqual([]);
  });

  it("counts the machines that had taken a change", async () => {
    const { change } = parts.BERN;
    const [taker] = await at.db.prisma.fleetChangeMachine.findMany({ where: { changeId: change } });
    const when = taker?.at ?? now;
    expect([...(await takenBy(at.db, [change], when))]).toEqual([[change, { machines: 1, lastAt: when }]]);
    expect([...(await takenBy(at.db, [change], new Date(when.getTime() - 1)))]).toEqual([]);
  });
});
