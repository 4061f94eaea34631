import { parseFilter } from "@lynceus/protocol/filter";
import { machineRowSchema, machineSchema } from "@lynceus/protocol/read-api";
import { beforeAll, describe, expect, it } from "vitest";
import { fleetGroups } from "../src/fleet.ts";
import { countsOf, fleetCells, patternCounts } from "../src/fleet-cells.ts";
import { commitBatch, type TraitColumns } from "../src/ingest.ts";
import {
  clearConnected,
  countMachines,
  countsWithout,
  findMachines,
  getMachine,
  groupMachines,
  listMachines,
  type MachineSort,
  machineSortKeys,
  setConnected,
  valueCounts,
} from "../src/machines.ts";
import { approveMachines, retireMachine, revokeMachine, setSite, tagMachines } from "../src/machines-admin.ts";
import { openCauses } from "../src/overview.ts";
import { fleetTrend, lastCount, recordSample } from "../src/samples.ts";
import { sweepStale } from "../src/sweep.ts";
import { listTimeline } from "../src/timeline.ts";
import { batch, columns, enrol, machine, minutesAgo, now, update, useDatabase } from "./fixtures.ts";

const terms = (text: string) => {
  const parsed = parseFilter(text, { now: now.getTime() });
  expect(parsed.errors).toEqual([]);
  return parsed.terms;
};

const noTraits: TraitColumns = {
  digest: "d",
  pacUrl: null,
  resolver: null,
  subnet: null,
  backEnd: null,
  address: null,
  routeKind: null,
  configuration: null,
  settingsChangedAt: null,
  settingsCounter: null,
  tlsSpkiBefore: null,
  tlsChangedAt: null,
  dnsAnswer: null,
  simulated: false,
};

const by = { actor: "ann@example.org", now };

describe("the machines list", () => {
  const at = useDatabase();
  const ids: Record<string, string> = {};

  beforeAll(async () => {
    const { db } = at;
    const failing = {
      status: "failing",
      primaryPattern: "proxy-auth-required",
      primarySeverity: "prompting",
      primaryConfidence: "high",
      primaryCause: "px1.contoso.com asks for its own login",
      primarySince: minutesAgo(50),
      patterns: ["proxy-auth-required", "ews-slow"],
      route: "px1.contoso.com:8080",
      verdictConfigured: "proxy-auth-required",
      chainConfigured: "oofnnn",
      pacHash: "3fa91c77",
      clockSkewMs: 400_000,
    } as const;
    const add = async (name: string, over: Parameters<typeof machine>[2], seen = now) => {
      ids[name] = await machine(db, name, over, seen);
    };
    await add("LT-10", { ...failing, site: "Manila", statusSince: minutesAgo(45) });
    await add("LT-9", { ...failing, site: "Manila", statusSince: minutesAgo(45) });
    await add("LT-100", { ...failing, site: "Berlin", statusSince: minutesAgo(200) });
    await add("BER_1", { site: "Berlin", statusSince: minutesAgo(10), os: "macos" });
    await add("ber-2", {
      site: null,
      atRisk: true,
      primaryPattern: "autodetect-off",
      primarySeverity: "at-risk",
      primaryConfidence: "medium",
      primaryCause: "auto-detect is off",
      patterns: ["autodetect-off"],
      tlsIssuer: "Zscaler Root CA",
      verdictDirect: null,
      clockSkewMs: null,
    });
    await add("quiet", { status: "signed-off" }, minutesAgo(90));
    await add(
      "odd",
      { status: "cannot-tell", route: null, chainConfigured: null, verdictConfigured: null, pacHash: null },
      minutesAgo(60),
    );
    ids.never = await enrol(db, "never");
    await tagMachines(db, [ids["LT-10"] ?? ""], { add: ["Pilot", "vip"] }, by);
    await commitBatch(
      db,
      batch({
        machines: [
          update(ids["LT-9"] ?? "", [1, 2], {
            columns: columns({ ...failing, site: "Manila", statusSince: minutesAgo(45), answerMs: 2_600 }),
            traits: {
              ...noTraits,
              resolver: "10.40.0.53",
              backEnd: "EX03",
              subnet: "10.40.12.0/24",
              settingsChangedAt: minutesAgo(62).getTime(),
              chosenBy: "pac",
              zone: "internet",
              winhttp: "px1:8080",
              privateAddress: "10.40.12.7",
              failedTargets: ["autodiscover-contoso.com", "ews"],
            },
          }),
        ],
      }),
    );
  });

  const names = async (filter: string) => {
    const { items, total } = await listMachines(at.db, { terms: terms(filter), limit: 50 });
    expect(total).toBe(items.length);
    return items.map((item) => item.hostname);
  };

  it("holds rows and machines as the read API says", async () => {
    const { items } = await listMachines(at.db, {});
    for (const item of items) expect(machineRowSchema.parse(item)).toEqual(item);
    const one = await getMachine(at.db, ids["LT-10"] ?? "");
    expect(machineSchema.parse(one)).toEqual(one);
    expect(await getMachine(at.db, "nonsense")).toBeNull();
  });

  it.each([
    ["", ["ber-2", "BER_1", "LT-9", "LT-10", "LT-100", "never", "odd", "quiet"]],
    ["status:failing", ["LT-9", "LT-10", "LT-100"]],
    ["-status:failing,signed-off", ["ber-2", "BER_1", "never", "odd"]],
    ["severity:prompting", ["LT-9", "LT-10", "LT-100"]],
    ["severity:none", ["BER_1", "quiet"]],
    ["severity:unknown", ["never", "odd"]],
    ["-severity:prompting", ["ber-2", "BER_1", "quiet"]],
    ["pattern:ews-slow", ["LT-9", "LT-10", "LT-100"]],
    ["pattern:*proxy*,autodetect-off", ["ber-2", "LT-9", "LT-10", "LT-100"]],
    ["-pattern:ews-slow", ["ber-2", "BER_1", "quiet"]],
    ["primary:autodetect-off", ["ber-2"]],
    ["confidence:medium", ["ber-2"]],
    ["cause:*PX1*", ["LT-9", "LT-10", "LT-100"]],
    ["site:manila", ["LT-9", "LT-10"]],
    ["site:none", ["ber-2", "odd", "quiet"]],
    ["site:unknown", ["never"]],
    ["-site:Manila", ["ber-2", "BER_1", "LT-100", "odd", "quiet"]],
    ["route:px1.contoso.com", ["LT-9", "LT-10", "LT-100"]],
    ["route:direct", ["ber-2", "BER_1", "quiet"]],
    ["-route:direct", ["LT-9", "LT-10", "LT-100"]],
    ["pac:3fa9", ["LT-9", "LT-10", "LT-100"]],
    ["pac:none", ["ber-2", "BER_1", "quiet"]],
    ["verdict:proxy-auth-required", ["LT-9", "LT-10", "LT-100"]],
    ["direct:unknown", ["ber-2", "never"]],
    ["-direct:exchange-onprem", []],
    ["step:connect", ["LT-9", "LT-10", "LT-100"]],
    ["step:none", ["ber-2", "BER_1", "quiet"]],
    ["step:unknown", ["never", "odd"]],
    ["issuer:*zscaler*", ["ber-2"]],
    ["os:macos", ["BER_1"]],
    ["agent:0.1.*", ["ber-2", "BER_1", "LT-9", "LT-10", "LT-100", "never", "odd", "quiet"]],
    ["tag:pilot", ["LT-10"]],
    ["tag:v*", ["LT-10"]],
    ["-tag:pilot name:LT*", ["LT-9", "LT-100"]],
    ["name:ber_*", ["BER_1"]],
    ["t-1", ["LT-10", "LT-100"]],
    ["since>2h", ["LT-100", "never", "odd"]],
    ["since<15m status:healthy", ["ber-2", "BER_1"]],
    ["seen>=1h", ["odd", "quiet"]],
    ["seen:unknown", ["never"]],
    ["skew>5m", ["LT-9", "LT-10", "LT-100"]],
    ["-skew>5m", ["BER_1", "odd", "quiet"]],
    ["ms>2000", ["LT-9"]],
    ["by:pac", ["LT-9"]],
    ["-by:manual", ["LT-9"]],
    ["zone:internet", ["LT-9"]],
    ["zone:unknown status:failing", ["LT-10", "LT-100"]],
    ["resolver:10.40.*", ["LT-9"]],
    ["server:ex03", ["LT-9"]],
    ["winhttp:*px1*", ["LT-9"]],
    ["subnet:10.40.0.0/16", ["LT-9"]],
    ["subnet:10.40.12.7", ["LT-9"]],
    ["subnet:10.41.0.0/16", []],
    ["-subnet:10.41.0.0/16", ["LT-9"]],
    ["target:autodiscover*", ["LT-9"]],
    ["target:EWS", ["LT-9"]],
    ["target:ew", []],
    ["changed>1h changed<2h", ["LT-9"]],
  ])("filters by %s", async (filter, expected) => {
    expect(await names(filter)).toEqual(expected);
  });

  it("refuses a field that has no column, and says which there are", async () => {
    await expect(listMachines(at.db, { terms: terms("urgency:high") })).rejects.toThrow(
      /machines cannot be filtered by "urgency" yet; fields are status, severity/,
    );
  });

  it("gives the same rows from any place of the list, whether their number is known or not", async () => {
    for (const filter of ["", "status:failing"]) {
      const query = { terms: terms(filter), sort: "-since" as const };
      const all = await listMachines(at.db, { ...query, limit: 50 });
      for (const total of [undefined, all.total, 1_000_000])
        for (const skip of [0, 1, 2]) {
          const page = await listMachines(at.db, {
            ...query,
            skip,
            limit: 2,
            ...(total === undefined ? {} : { total }),
          });
          expect(page.items).toEqual(all.items.slice(skip, skip + 2));
          expect(page.total).toBe(total ?? all.total);
        }
    }
  });

  it("says how many would match without each term", async () => {
    expect(await countsWithout(at.db, terms("status:failing site:Manila os:macos"))).toEqual([0, 0, 2]);
    expect(await countsWithout(at.db, [])).toEqual([]);
  });

  it("finds machines by a part of their name, whatever its case and characters", async () => {
    const found = async (text: string) => (await findMachines(at.db, text, 8)).map((row) => row.hostname);
    expect(await found("ber")).toEqual(["ber-2", "BER_1"]);
    expect(await found("R_")).toEqual(["BER_1"]);
    expect(await found("100%")).toEqual([]);
  });

  it("groups machines by any field that has values, those with most failing first", async () => {
    const { groups, total } = await groupMachines(at.db, "site");
    expect(total).toBe(3);
    expect(groups.map(({ value, machines, counts }) => [value, machines, counts.failing])).toEqual([
      ["Manila", 2, 2],
      ["Berlin", 2, 1],
      [null, 4, 0],
    ]);
    expect((await groupMachines(at.db, "tag", { terms: terms("site:Manila") })).groups).toMatchObject([
      { value: "Pilot", machines: 1 },
      { value: "vip", machines: 1 },
    ]);
    expect((await groupMachines(at.db, "server")).groups).toContainEqual(
      expect.objectContaining({ value: "EX03", machines: 1 }),
    );
    expect(await groupMachines(at.db, "since")).toEqual({ groups: [], total: 0 });
  });

  it.each(machineSortKeys.flatMap((key): MachineSort[] => [key, `-${key}`]))(
    "pages by %s over ties and unknowns without a gap or a double",
    async (sort) => {
      const all = (await listMachines(at.db, { sort, limit: 50 })).items.map((item) => item.hostname);
      const paged: string[] = [];
      let cursor: string | null = null;
      do {
        const page = await listMachines(at.db, { sort, limit: 2, cursor });
        paged.push(...page.items.map((item) => item.hostname));
        cursor = page.nextCursor;
      } while (cursor !== null);
      expect(paged).toEqual(all);
      expect(new Set(paged).size).toBe(8);
    },
  );

  it("puts what is not known last in both directions", async () => {
    const last = async (sort: MachineSort) => (await listMachines(at.db, { sort })).items.at(-1)?.hostname;
    expect([await last("skew"), await last("-skew")].every((name) => ["never", "ber-2"].includes(name ?? ""))).toBe(
      true,
    );
    expect([await last("seen"), await last("-seen")]).toEqual(["never", "never"]);
  });

  it("refuses a cursor of another sort or of nobody", async () => {
    const { nextCursor } = await listMachines(at.db, { sort: "name", limit: 1 });
    await expect(listMachines(at.db, { sort: "-since", cursor: nextCursor })).rejects.toThrow(
      /cursor is of sort "name"/,
    );
    for (const cursor of ["x", "W10", Buffer.from('["-since","nonsense","x"]').toString("base64url")])
      await expect(listMachines(at.db, { sort: "-since", cursor })).rejects.toThrow(/^cursor /);
  });

  it("counts each machine once, signed-off ones beside the four", async () => {
    expect(await countMachines(at.db)).toEqual({
      healthy: 2,
      failing: 3,
      stale: 0,
      cannotTell: 2,
      signedOff: 1,
      atRisk: 1,
    });
    expect(await countMachines(at.db, { site: "Manila" })).toMatchObject({ failing: 2, healthy: 0 });
    expect(await countMachines(at.db, { terms: terms("os:macos") })).toMatchObject({ healthy: 1, failing: 0 });
  });

  it("offers the values of a field under the filter, most frequent first", async () => {
    expect(await valueCounts(at.db, "route", { terms: terms("status:failing,healthy") })).toEqual([
      { value: "px1.contoso.com:8080", machines: 3 },
      { value: "direct", machines: 2 },
    ]);
    expect(await valueCounts(at.db, "pattern", { terms: terms("site:berlin") })).toEqual([
      { value: "ews-slow", machines: 1 },
      { value: "proxy-auth-required", machines: 1 },
    ]);
    expect(await valueCounts(at.db, "step")).toContainEqual({ value: "connect", machines: 3 });
    expect(await valueCounts(at.db, "since")).toEqual([]);
  });

  it("groups the fresh fleet without those that take no part", async () => {
    const groups = await fleetGroups(at.db, { now, freshSince: minutesAgo(5) });
    expect(groups.reduce((sum, group) => sum + group.machines, 0)).toBe(5);
    expect(groups).toContainEqual(
      expect.objectContaining({ site: "Manila", route: "px1.contoso.com:8080", backEnd: "EX03", machines: 1 }),
    );
  });

  it("says on the overview what is open, where and since when, from one snapshot", async () => {
    const { db } = at;
    const change = {
      at: minutesAgo(48),
      kind: "script" as const,
      text: "Script changed",
      detail: null,
      severity: null,
      replayed: false,
      changeKey: "script:9f3c1e→3fa91c",
    };
    const members = ["LT-9", "LT-10"].map((name) => ids[name] ?? "");
    await commitBatch(
      db,
      batch({
        machines: members.map((id) =>
          update(id, id === ids["LT-9"] ? [2, 3] : [1, 2], {
            columns: columns({
              status: "failing",
              primaryPattern: "proxy-auth-required",
              primarySeverity: "prompting",
              primaryConfidence: "high",
              primaryCause: "px1.contoso.com asks for its own login",
              primarySince: minutesAgo(50),
              patterns: ["proxy-auth-required"],
              route: "px1.contoso.com:8080",
            }),
          }),
        ),
        transitions: members.map((machineId) => ({ machineId, ...change })),
      }),
    );
    await recordSample(db, minutesAgo(90));
    await recordSample(db, now);
    await recordSample(db, now);
    const count = await lastCount(db);
    expect(count?.at).toEqual(new Date(Math.floor(now.getTime() / 60_000) * 60_000));
    expect(Object.values(count?.agents ?? {}).reduce((sum, machines) => sum + machines, 0)).toBe(8);
    const cells = await fleetCells(db);
    expect(countsOf(cells)).toMatchObject({ failing: 3, healthy: 2 });
    expect(patternCounts(cells)).toEqual([
      { pattern: "proxy-auth-required", machines: 3, failing: 3 },
      { pattern: "autodetect-off", machines: 1, failing: 0 },
    ]);
    expect((await openCauses(db))[0]).toMatchObject({
      cause: "px1.contoso.com asks for its own login",
      machines: 3,
      failing: 3,
      sites: 2,
      since: minutesAgo(50).toISOString(),
    });
    const failingAt = (site: string | null) =>
      cells.filter((cell) => cell.site === site && cell.status === "failing").map((cell) => cell.machines);
    expect([failingAt("Manila"), failingAt("Berlin"), failingAt(null)]).toEqual([[2], [1], []]);
    expect(await fleetTrend(db, { since: minutesAgo(60), until: now })).toMatchObject([
      {
        failing: 3,
        healthy: 2,
        cannotTell: 2,
        signedOff: 1,
        atRisk: 1,
        patterns: { "proxy-auth-required": 3, "autodetect-off": 1 },
      },
    ]);
    expect(await fleetTrend(db, { since: minutesAgo(60), until: now, site: "Manila" })).toMatchObject([
      { failing: 2, healthy: 0, patterns: { "proxy-auth-required": 2 } },
    ]);
    expect(patternCounts(await fleetCells(db, { site: "Berlin" }))).toMatchObject([{ machines: 1 }]);
    expect(await openCauses(db, { site: "Nowhere" })).toEqual([]);
  });
});

describe("a machine's life", () => {
  const at = useDatabase();

  it("becomes stale when it is silent, and only then, and says so in its timeline", async () => {
    const { db } = at;
    const silent = await machine(db, "silent", {}, minutesAgo(52));
    const off = await machine(db, "off", { status: "signed-off" }, minutesAgo(52));
    const fresh = await machine(db, "fresh");
    const never = await enrol(db, "never");
    expect(await sweepStale(db, { now, staleBefore: minutesAgo(45) })).toEqual([silent]);
    expect(await sweepStale(db, { now, staleBefore: minutesAgo(45) })).toEqual([]);
    expect(await getMachine(db, silent)).toMatchObject({ status: "stale", since: now.toISOString() });
    expect((await listTimeline(db, silent)).items[0]).toMatchObject({
      kind: "stale",
      text: "Stale: silent, last state healthy",
    });
    const statuses = await Promise.all([off, fresh, never].map(async (id) => (await getMachine(db, id))?.status));
    expect(statuses).toEqual(["signed-off", "healthy", "cannot-tell"]);
    await commitBatch(db, batch({ machines: [update(silent, [1, 2])] }));
    expect((await getMachine(db, silent))?.status).toBe("healthy");
  });

  it("is connected to one collector, and to none after that one's end", async () => {
    const { db } = at;
    const [a, b] = [await machine(db, "a"), await machine(db, "b")];
    await setConnected(db, [a, b], "c1");
    await setConnected(db, [b], "c2");
    await clearConnected(db, "c1", [b]);
    expect((await getMachine(db, b))?.connected).toBe(true);
    await clearConnected(db, "c1");
    expect((await getMachine(db, a))?.connected).toBe(false);
    expect((await getMachine(db, b))?.connected).toBe(true);
  });

  it("leaves lists and counts when it is revoked, and everything when it is retired", async () => {
    const { db } = at;
    const id = await machine(db, "gone", { site: "Oslo" });
    expect(await revokeMachine(db, id, by)).toBe(true);
    expect(await revokeMachine(db, id, by)).toBe(false);
    expect(await revokeMachine(db, "no id", by)).toBe(false);
    expect((await listMachines(db, { site: "Oslo" })).total).toBe(0);
    expect((await listMachines(db, { site: "Oslo", revoked: true })).items).toMatchObject([{ id }]);
    expect((await listTimeline(db, id)).items[0]?.kind).toBe("revoked");
    expect(await retireMachine(db, id, by)).toBe(true);
    expect(await getMachine(db, id)).toBeNull();
    expect(await commitBatch(db, batch({ machines: [update(id, [1, 2])] }))).toEqual({ conflicts: [id] });
  });

  it("takes tags and a site from an admin, with an entry in the audit", async () => {
    const { db } = at;
    const id = await machine(db, "tagged");
    await tagMachines(db, [id], { add: ["b", "a", "b"] }, by);
    await tagMachines(db, [id], { add: ["c"], remove: ["a"] }, by);
    await setSite(db, [id], "Manila", by);
    expect(await getMachine(db, id)).toMatchObject({ tags: ["b", "c"], site: "Manila" });
    expect(await approveMachines(db, [id], by)).toBe(0);
    expect(await db.prisma.auditEntry.count({ where: { subject: id } })).toBe(3);
  });
});
