import { readdirSync, readFileSync } from "node:fs";
import path from "node:path";
import { fileURLToPath } from "node:url";
import { mayRead, type Scope } from "@lynceus/protocol/access";
import { parseFilter } from "@lynceus/protocol/filter";
import { buildPolicy } from "@lynceus/protocol/presets";
import { countHistoryQuerySchema, targetHistoryQuerySchema } from "@lynceus/protocol/series";
import fc from "fast-check";
import { beforeAll, describe, expect, it } from "vitest";
import * as canaries from "../src/canaries.ts";
import * as causeSpread from "../src/cause-spread.ts";
import * as causes from "../src/causes.ts";
import * as changeCounts from "../src/change-counts.ts";
import * as cohortSites from "../src/cohort-sites.ts";
import * as commands from "../src/commands.ts";
import * as countSeries from "../src/count-series.ts";
import * as enrollment from "../src/enrollment.ts";
import * as findings from "../src/findings.ts";
import * as fleetCells from "../src/fleet-cells.ts";
import * as fleetChanges from "../src/fleet-changes.ts";
import * as fleetPast from "../src/fleet-past.ts";
import * as incidentActs from "../src/incident-acts.ts";
import * as incidentPage from "../src/incident-page.ts";
import * as incidents from "../src/incidents.ts";
import * as machines from "../src/machines.ts";
import * as machinesAdmin from "../src/machines-admin.ts";
import * as notes from "../src/notes.ts";
import * as noticedMachines from "../src/noticed-machines.ts";
import * as observations from "../src/observations.ts";
import * as overview from "../src/overview.ts";
import { savePolicy } from "../src/policies.ts";
import * as policyRollout from "../src/policy-rollout.ts";
import * as reports from "../src/reports.ts";
import * as samples from "../src/samples.ts";
import { type Fleet, fleetOf, machines as seenMachines } from "../src/scope.ts";
import * as seriesGrid from "../src/series-grid.ts";
import * as silences from "../src/silences.ts";
import * as sites from "../src/sites.ts";
import * as targetSeries from "../src/target-series.ts";
import { type Part, type Parts, seedParts } from "../src/testing-parts.ts";
import * as timeline from "../src/timeline.ts";
import * as verifications from "../src/verifications.ts";
import { machine, minutesAgo, now, useDatabase } from "./fixtures.ts";

const by = { actor: "ann", now };
const bern: Scope = { sites: ["Bern"], tags: null };
const vip: Scope = { sites: null, tags: ["vip"] };
const nothing: Scope = { sites: [], tags: null };

describe("a part of the fleet", () => {
  const at = useDatabase();
  const parts = {} as Parts;

  beforeAll(async () => {
    Object.assign(parts, await seedParts(at.db, now));
    const body = buildPolicy({ ews: ["mail.contoso.com"], smtpDomains: [], sipDomains: [] }, 0);
    await savePolicy(at.db, { body, now, createdBy: "ann" });
    await savePolicy(at.db, { body, now, createdBy: "ann", rollout: onBoth().rollout });
  });

  /** A policy that both parts try. */
  const onBoth = () => ({
    version: 2,
    rollout: { percent: 0, sites: [], tags: [], machines: [parts.BERN.machine, parts.GRAZ.machine] },
  });
  const since = minutesAgo(600);
  const until = new Date(now.getTime() + 60_000);
  const siteOf = (part: Part) => (part === parts.BERN ? "Bern" : "Graz");
  const span = { since: since.toISOString(), until: until.toISOString() };
  /** What is kept by site is refused to who sees none of it. */
  const orRefused = <T>(read: () => T | Promise<T>): Promise<T | null> =>
    Promise.resolve()
      .then(read)
      .catch((error: unknown) => {
        if (error instanceof seriesGrid.SeriesError) return null;
        throw error;
      });
  /** Every function that takes what is seen of the fleet, asked for all that there is and for one part's things. */
  const reads: Record<string, (db: Fleet, part: Part) => Promise<unknown>> = {
    atSites: (db, part) => orRefused(() => machines.listMachines(seriesGrid.atSites(db, [siteOf(part)]), {})),
    canaryGroups: (db, { canary }) => cohortSites.canaryGroups(db, canary, "proxy"),
    canaryScript: (db, { canary }) => canaries.canaryScript(db, canary),
    candidatesById: (db, part) => canaries.candidatesById(db, [part.machine]),
    causeFindings: (db, { cause }) => causeSpread.causeFindings(db, cause),
    causeSpread: (db, { cause }) => causeSpread.causeSpread(db, cause),
    causesOfMachine: (db, part) => causes.causesOfMachine(db, part.machine),
    changeCounts: async (db, { change }) => (await changeCounts.changeCounts(db, [change]))(change).failing || null,
    changesBefore: (db, part) => fleetChanges.changesBefore(db, part.machine, now),
    changeFailing: async (db, { change }) => (await changeCounts.changeFailing(db, [change]))(change) || null,
    countMachines: async (db, part) =>
      (await machines.countMachines(db, { terms: [], site: part === parts.BERN ? "Bern" : "Graz" })).failing || null,
    agentVersions: async (db, part) => (await fleetCells.agentVersions(db, { site: siteOf(part) })).length || null,
    fleetAt: async (db, part) => (await fleetPast.fleetAt(db, { at: now, site: siteOf(part) }))?.sites.length || null,
    fleetCells: (db) => fleetCells.fleetCells(db),
    fleetTrend: (db, part) =>
      samples
        .fleetTrend(db, { since, until, site: part === parts.BERN ? "Bern" : "Graz" })
        .then((all) => all?.length || null),
    getCanary: (db, { canary }) => canaries.getCanary(db, canary),
    getCause: (db, { cause }) => causes.getCause(db, cause),
    getCommand: (db, { command }) => commands.getCommand(db, command),
    getFleetChange: (db, { change }) => fleetChanges.getFleetChange(db, change),
    countChosen: async (db, part) => (await machinesAdmin.countChosen(db, [part.machine])) || null,
    countEach: async (db, part) =>
      (
        await machines.countEach(db, [
          parseFilter(`name:${part === parts.BERN ? "BERN" : "GRAZ"}-1`, { now: now.getTime() }).terms,
        ])
      )[0] || null,
    eachMachines: async (db) => {
      const all = [];
      for await (const some of machines.eachMachines(db, {})) all.push(...some);
      return all;
    },
    countsWithout: async (db, part) => {
      const { terms } = parseFilter(`name:${part === parts.BERN ? "BERN" : "GRAZ"}-1 os:windows os:macos`, {
        now: now.getTime(),
      });
      return (await machines.countsWithout(db, terms))[2] || null;
    },
    findMachines: (db) => machines.findMachines(db, "-1"),
    groupMachines: (db) => machines.groupMachines(db, "name"),
    countOpenIncidents: async (db) => (await incidents.countOpenIncidents(db)).open || null,
    exampleMember: (db, { incident }) => incidentPage.exampleMember(db, Number(incident)),
    heldReasons: async (db, { incident }) => [...(await incidentPage.heldReasons(db, [Number(incident)]))],
    incidentsAt: (db) => fleetPast.incidentsAt(db, now),
    takenBy: async (db, { change }) => [...(await fleetPast.takenBy(db, [change], now)).values()],
    incidentFindings: (db, { incident }) => incidentPage.incidentFindings(db, Number(incident)),
    incidentOfCause: (db, { cause }) => incidentPage.incidentOfCause(db, cause),
    incidentSites: (db, { incident }) => incidentPage.incidentSites(db, Number(incident)),
    incidentSpread: (db, { incident }) => incidentPage.incidentSpread(db, Number(incident)),
    namedMachines: (db, part) => incidentPage.namedMachines(db, [part.machine]),
    relatedIncidents: (db, { incident }) => incidentPage.relatedIncidents(db, Number(incident)),
    getIncident: (db, { incident }) => incidents.getIncident(db, Number(incident)),
    getSilence: (db, { silence }) => silences.getSilence(db, silence, now),
    incidentsOfMachine: (db, part) => incidents.incidentsOfMachine(db, part.machine),
    listIncidentChanges: (db) => incidents.listIncidentChanges(db, 0n, 500),
    listIncidentEvents: (db, { incident }) => incidents.listIncidentEvents(db, Number(incident)),
    listIncidentMembers: (db, { incident }) => incidents.listIncidentMembers(db, Number(incident)),
    listIncidents: (db) => incidents.listIncidents(db),
    countSilences: async (db) => (await silences.countSilences(db, now)) || null,
    listSilences: (db) => silences.listSilences(db, { now }),
    previewSilence: (db) => silences.previewSilence(db, ""),
    getMachine: (db, part) => machines.getMachine(db, part.machine),
    getObservation: (db, part) => observations.getObservation(db, part.machine, { seq: 2 }),
    getReport: (db, { report }) => reports.getReport(db, report),
    getVerification: (db, { verification }) => verifications.getVerification(db, verification),
    latestCommand: (db, part) => commands.latestCommand(db, part.machine),
    listCanaries: (db) => canaries.listCanaries(db),
    listCanaryMachines: (db, { canary }) => canaries.listCanaryMachines(db, canary),
    listCauseMembers: (db, { cause }) => causes.listCauseMembers(db, cause),
    listCauses: (db) => causes.listCauses(db),
    listChangeMachines: (db, { change }) => fleetChanges.listChangeMachines(db, change),
    listFindings: (db) => findings.listFindings(db),
    listFleetChanges: (db) => fleetChanges.listFleetChanges(db),
    listMachines: (db) => machines.listMachines(db, {}),
    listNotes: (db, part) => notes.listNotes(db, part.machine),
    observationAt: (db, part) => observations.observationAt(db, part.machine, "probe:a1b2:ews:configured", now),
    hoursOfProbes: async (db, part) => {
      const keys = ["BERN:ews:configured", "GRAZ:ews:configured"];
      return [...(await observations.hoursOfProbes(db, part.machine, keys, since))].filter(([, hours]) => hours.length);
    },
    listObservations: (db, part) => observations.listObservations(db, part.machine),
    listReports: (db) => reports.listReports(db),
    listSiteSubnets: (db) => sites.listSiteSubnets(db),
    listSites: (db) => sites.listSites(db),
    listTimeline: (db, part) => timeline.listTimeline(db, part.machine),
    listTokens: (db) => enrollment.listTokens(db),
    listVerificationMachines: (db, { verification }) => verifications.listVerificationMachines(db, verification),
    listVerifications: (db) => verifications.listVerifications(db),
    machineName: (db, part) => machines.machineName(db, part.machine),
    nextCandidates: (db) => canaries.nextCandidates(db, { terms: [], site: null, after: null, limit: 10 }),
    noticedMachines: (db) => noticedMachines.noticedMachines(db),
    openCauses: (db) => overview.openCauses(db),
    // Who is seen has the version that is tried; of others it is not told.
    policyOfMachine: async (db, part) =>
      (await policyRollout.policyOfMachine(db, part.machine))?.version === 2 ? part.machine : null,
    rolloutMachines: (db) => policyRollout.rolloutMachines(db, onBoth()),
    rolloutProgress: async (db) => (await policyRollout.rolloutProgress(db, onBoth())).chosen || null,
    trialMachines: (db) => policyRollout.trialMachines(db, onBoth()),
    patternAccuracy: async (db) => (await reports.patternAccuracy(db, since)).reports || null,
    readAttributions: (db) => causes.readAttributions(db),
    readCountSeries: (db, part) =>
      orRefused(() => {
        const query = countHistoryQuerySchema.parse({ ...span, by: "site", site: siteOf(part) });
        return countSeries.readCountSeries(db, query, until);
      }),
    readTargetSeries: (db, part) =>
      orRefused(() => {
        const query = targetHistoryQuerySchema.parse({ ...span, by: "site", site: siteOf(part) });
        return targetSeries.readTargetSeries(db, query, { now: until, targets: ["ews-Bern", "ews-Graz"] });
      }),
    sampledSites: (db) => samples.sampledSites(db, until),
    valueCounts: (db) => machines.valueCounts(db, "name"),
    verdictHistory: (db, part) => observations.verdictHistory(db, part.machine, since),
    verificationSites: (db, { verification }) => cohortSites.verificationSites(db, verification),
  };
  /** Every function that changes something of the fleet; what it answers when there is no such thing. */
  const acts: Record<string, { act: (db: Fleet, part: Part) => Promise<unknown>; refused: unknown }> = {
    acknowledgeIncident: {
      act: (db, { incident }) => incidentActs.acknowledgeIncident(db, Number(incident), { ...by, via: "api" }),
      refused: false,
    },
    closeIncident: {
      act: (db, { incident }) => incidentActs.closeIncident(db, Number(incident), { ...by, note: "x" }),
      refused: false,
    },
    createSilence: {
      // It covers what is seen alone, whatever it matches.
      act: async (db) => (await silences.previewSilence(db, "")).machines,
      refused: 1,
    },
    endSilence: { act: (db, { silence }) => silences.endSilence(db, silence, by), refused: false },
    noteIncident: {
      act: (db, { incident }) => incidentActs.noteIncident(db, Number(incident), { ...by, text: "x" }),
      refused: false,
    },
    releaseIncident: {
      act: (db, { incident }) => incidentActs.releaseIncident(db, Number(incident), by),
      refused: false,
    },
    takeOverIncident: {
      act: (db, { incident }) => incidentActs.takeOverIncident(db, Number(incident), { ...by, via: "api" }),
      refused: false,
    },
    tellOfIncident: {
      act: (db, { incident }) => {
        const compose = { dashboardUrl: "https://x", installation: "test", textsOf: () => null };
        const told = { reason: "handed-over" as const, to: "x", contacts: [], compose };
        return incidentActs.tellOfIncident(db, Number(incident), { ...by, ...told });
      },
      refused: false,
    },
    approveMachines: { act: (db, part) => machinesAdmin.approveMachines(db, [part.machine], by), refused: 0 },
    cancelCanary: { act: (db, { canary }) => canaries.cancelCanary(db, canary, by), refused: false },
    cancelVerification: {
      act: (db, { verification }) => verifications.cancelVerification(db, verification, by),
      refused: false,
    },
    createCanary: {
      act: async (db) => (await canaries.listCanaryMachines(db, (await canaries.listCanaries(db))[0]?.id ?? "")).total,
      refused: 1,
    },
    createCommand: {
      act: (db, part) => commands.createCommand(db, { machineId: part.machine, createdBy: "x", now }),
      refused: null,
    },
    addNote: { act: (db, part) => notes.addNote(db, part.machine, "x", by), refused: null },
    deleteNote: {
      act: async (db, part) => {
        const [note] = await notes.listNotes(at.db, part.machine);
        return notes.deleteNote(db, note?.id ?? "", { actor: "ann", anyones: true });
      },
      refused: false,
    },
    createReport: {
      act: (db, part) =>
        reports.createReport(db, part.machine, { user: "x", prompted: true, pattern: null, note: "" }, by),
      refused: null,
    },
    createToken: {
      act: (db, part) =>
        enrollment
          .createToken(db, { site: part === parts.BERN ? "Bern" : "Graz", maxUses: 1, expiresAt: now, createdBy: "x" })
          .catch((error: Error) => error.name),
      refused: "TokenScopeError",
    },
    createVerification: {
      act: async (db, part) => {
        const q = { pattern: null, cause: null, causeId: null, q: "", site: part === parts.BERN ? "Bern" : "Graz" };
        return (await verifications.createVerification(db, q, [], by)).machines;
      },
      refused: 0,
    },
    deleteReport: { act: (db, { report }) => reports.deleteReport(db, report, by), refused: false },
    retireMachine: { act: (db, part) => machinesAdmin.retireMachine(db, part.machine, by), refused: false },
    retireMachines: { act: (db, part) => machinesAdmin.retireMachines(db, [part.machine], by), refused: 0 },
    revokeMachines: { act: (db, part) => machinesAdmin.revokeMachines(db, [part.machine], by), refused: 0 },
    revokeMachine: { act: (db, part) => machinesAdmin.revokeMachine(db, part.machine, by), refused: false },
    revokeToken: { act: (db, { token }) => enrollment.revokeToken(db, token, by), refused: false },
    setSite: { act: (db, part) => machinesAdmin.setSite(db, [part.machine], "Oslo", by), refused: 0 },
    tagMachines: { act: (db, part) => machinesAdmin.tagMachines(db, [part.machine], { add: ["x"] }, by), refused: 0 },
  };
  const keptBySite = ["atSites", "fleetAt", "fleetTrend", "readCountSeries", "readTargetSeries", "sampledSites"];
  const views = [
    ["Bern", bern, "BERN", "GRAZ"],
    ["tag vip", vip, "GRAZ", "BERN"],
  ] as const;

  it("is asked for by every function that these tests know, and they know all", () => {
    const source = fileURLToPath(new URL("../src", import.meta.url));
    const found = readdirSync(source)
      .filter(
        (file) =>
          file.endsWith(".ts") && !file.startsWith("testing") && file !== "scope.ts" && !file.endsWith("-in-scope.ts"),
      )
      .flatMap((file) => [
        ...readFileSync(path.join(source, file), "utf8").matchAll(
          /^export (?:async )?(?:function\*?|const) (\w+)(?:<[^>]*>)?(?: = (?:async )?)?\(\s*\w+: (?:FleetReader|Fleet)\b/gm,
        ),
      ])
      .map(([, name]) => name);
    expect(found.sort()).toEqual([...Object.keys(reads), ...Object.keys(acts)].sort());
  });

  it.each(Object.keys(reads))("%s gives what is in it and nothing of another", async (name) => {
    for (const [, scope, own, other] of views) {
      const db = fleetOf(at.db, scope);
      const read = reads[name];
      if (!read) throw new Error(name);
      const foreign = JSON.stringify([await read(db, parts[other]), await read(db, parts[own])]);
      for (const trace of [other, other === "BERN" ? "Bern" : "Graz", ...Object.values(parts[other])])
        expect(foreign).not.toContain(trace);
      // With no machine at all there is none.
      expect(JSON.stringify(await read(fleetOf(at.db, nothing), parts[own]))).not.toMatch(/BERN|GRAZ|Bern|Graz/);
    }
  });

  it("has its own things in full, so that the tests above look for what is there", async () => {
    const empty = ["null", "[]", '{"items":[],"nextCursor":null}'];
    for (const [name, read] of Object.entries(reads)) {
      if (["canaryScript", "noticedMachines", "patternAccuracy"].includes(name)) continue;
      for (const [, scope, own] of views) {
        // What is kept by site.
        if (scope === vip && keptBySite.includes(name)) continue;
        if (name === "listSiteSubnets" && scope === vip) continue;
        expect(empty, name).not.toContain(JSON.stringify(await read(fleetOf(at.db, scope), parts[own])));
      }
    }
  });

  it("counts its own machines alone in causes that many share", async () => {
    const [cause] = (await causes.listCauses(fleetOf(at.db, bern))).items;
    expect(cause).toMatchObject({
      text: "Proxy BERN-proxy:8080 explains the one failing machine",
      explains: 1,
      of: 1,
      failingWithout: 0,
      counterExamples: { failing: [], healthy: [] },
      also: [{ key: "site", value: "Bern" }],
    });
    const [attribution] = await causes.readAttributions(fleetOf(at.db, bern));
    expect(attribution).toMatchObject({ failing: 1, healthy: 0, unexplained: 0 });
    expect(attribution?.candidates.map(({ value }) => value)).toEqual(["BERN-proxy:8080"]);
  });

  it("has a trend where it is of sites, and says that there is none by tag", async () => {
    expect(await samples.fleetTrend(fleetOf(at.db, bern), { since, until })).toMatchObject([
      { failing: 1, patterns: { "proxy-auth-required": 1 } },
    ]);
    expect(
      await samples.fleetTrend(fleetOf(at.db, { sites: ["Bern", "Graz"], tags: null }), { since, until }),
    ).toMatchObject([{ failing: 2, patterns: { "proxy-auth-required": 2 } }]);
    expect(await samples.fleetTrend(fleetOf(at.db, vip), { since, until })).toBeNull();
    expect(await samples.fleetTrend(fleetOf(at.db, nothing), { since, until })).toEqual([]);
  });

  it.each(Object.keys(acts))("%s changes nothing outside it", async (name) => {
    const { act, refused } = acts[name] ?? {};
    if (!act) throw new Error(name);
    const state = () => at.db.prisma.$queryRaw`
      SELECT (SELECT json_agg(m ORDER BY id) FROM machines m) AS machines,
        (SELECT count(*)::int FROM commands) AS commands, (SELECT count(*)::int FROM machine_reports) AS reports,
        (SELECT json_agg(c.state ORDER BY c.id) FROM canaries c) AS canaries,
        (SELECT count(*)::int FROM fix_verification_machines) AS verified,
        (SELECT json_agg(i ORDER BY number) FROM incidents i) AS incidents,
        (SELECT count(*)::int FROM machine_notes) AS notes,
        (SELECT count(*)::int FROM incident_events) AS events, (SELECT json_agg(s ORDER BY id) FROM silences s) AS silences,
        (SELECT json_agg(t ORDER BY t.id) FROM enrollment_tokens t) AS tokens`;
    for (const [, scope, , other] of views) {
      const before = await state();
      expect(await act(fleetOf(at.db, scope), parts[other])).toEqual(refused);
      expect(await state()).toEqual(before);
    }
  });
});

describe("the scope in SQL", () => {
  const at = useDatabase();
  const names = fc.constantFrom("Bern", "Graz", "vip", "");
  const list = fc.option(fc.uniqueArray(names, { maxLength: 3 }), { nil: null });

  it("is the scope of the rule, whatever the machine", async () => {
    const { db } = at;
    const site = fc.option(names, { nil: null });
    const id = await machine(db, "one");
    await fc.assert(
      fc.asyncProperty(site, fc.uniqueArray(names, { maxLength: 3 }), list, list, async (its, tags, sites, wanted) => {
        await db.prisma.machine.update({ where: { id }, data: { site: its, tags } });
        const scope = { sites, tags: wanted };
        const rows = await db.prisma.$queryRaw<unknown[]>`SELECT id FROM ${seenMachines(fleetOf(db, scope))} m`;
        expect(rows.length === 1).toBe(mayRead(scope, { site: its, tags }));
      }),
      { numRuns: 150 },
    );
  });
});

/** What names `machines` itself: the installation's own work, which nobody asks for. */
const ownWork: Record<string, string> = {
  "canaries.ts peersOnRoute": "evidence for a judgement, never shown",
  "canaries.ts saveCanaryPage": "the collector's",
  "causes.ts storeCause": "the collector's",
  "commands.ts createCommand": "locks the row under the condition of the scope",
  "enrollment.ts enrolMachine": "an agent's",
  "fleet-changes.ts joinChanges": "the collector's",
  "history.ts historyMachines": "the operator's command line",
  "machines-admin.ts lockMachines": "locks the rows under the condition of the scope",
  "samples.ts recordSample": "agents by version, for the installation's own metrics",
  "machines-admin.ts retireMachines": "removes the rows that were locked under the condition of the scope",
  "samples.ts samplesNow": "counts by site: who shows them takes the sites in view",
  "turns.ts takeTurns": "the collector's",
  "verifications.ts settleVerifications": "the collector's",
};
/** Files of which every function is the collector's own. */
const ownFiles = [
  "fleet.ts",
  "identity.ts",
  "incident-machines.ts",
  "ingest.ts",
  "states.ts",
  "sweep.ts",
  "traits.ts",
  "scope.ts",
  "partitions.ts",
];

it("names the table of machines nowhere else than through the scope, but in the installation's own work", () => {
  const source = fileURLToPath(new URL("../src", import.meta.url));
  const found = readdirSync(source)
    .filter((file) => file.endsWith(".ts") && !file.startsWith("testing") && !ownFiles.includes(file))
    .flatMap((file) => {
      const parts = readFileSync(path.join(source, file), "utf8").split(
        /^(?=(?:export )?(?:async )?(?:function\*?|const) \w+)/m,
      );
      return parts
        .filter((part) => /\b(?:FROM|JOIN)\s+(?:ONLY\s+)?"?machines\b|prisma\.machine\.find/.test(part))
        .map((part) => `${file} ${/(?:function\*?|const) (\w+)/.exec(part)?.[1]}`);
    });
  expect(found.sort()).toEqual(Object.keys(ownWork).sort());
});
