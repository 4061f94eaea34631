import { matcherOf } from "@lynceus/incidents/match";
import { alertMachineFields } from "@lynceus/protocol/alert-filter";
import { alertingConfigSchema, defaultAlerting } from "@lynceus/protocol/alerting";
import { parseFilter } from "@lynceus/protocol/filter";
import fc from "fast-check";
import { describe, expect, it } from "vitest";
import {
  AlertingConflictError,
  currentAlerting,
  getAlerting,
  listAlerting,
  saveAlerting,
  sealedSecrets,
  secretNames,
} from "../src/alerting.ts";
import { listAudit } from "../src/audit.ts";
import { readFailingMachines, readTheseMachines } from "../src/incident-machines.ts";
import { commitBatch, type MachineColumns, type TraitColumns } from "../src/ingest.ts";
import { listMachines } from "../src/machines.ts";
import { tagMachines } from "../src/machines-admin.ts";
import { createSilence, listSilences, SilenceError } from "../src/silences.ts";
import { batch, columns, machine, now, update, useDatabase } from "./fixtures.ts";

const by = { actor: "ann", now };
const at = useDatabase();

describe("the alerting configuration", () => {
  const phone = { type: "ntfy", id: "phone", name: "Phone" };

  it("is the default until somebody saves one, and every save is a version", async () => {
    expect(await currentAlerting(at.db)).toMatchObject({ version: 0, config: defaultAlerting });
    const config = alertingConfigSchema.parse({ receivers: [phone] });
    const secrets = { phone: { topic: "s1.sealed" } };
    expect(await saveAlerting(at.db, { config, baseVersion: 0, note: "first", secrets }, by)).toMatchObject({
      version: 1,
    });
    expect(await currentAlerting(at.db)).toMatchObject({ version: 1, config, createdBy: "ann", note: "first" });
    expect(await secretNames(at.db)).toEqual({ phone: ["topic"] });
    expect(await sealedSecrets(at.db, "phone")).toEqual({ topic: "s1.sealed" });
  });

  it("refuses an edit of what is not in force any more, and stores nothing of it", async () => {
    const config = alertingConfigSchema.parse({});
    await expect(saveAlerting(at.db, { config, baseVersion: 0 }, by)).rejects.toThrow(AlertingConflictError);
    await expect(saveAlerting(at.db, { config, baseVersion: 0 }, by)).rejects.toThrow(/version 1 was saved meanwhile/);
    expect((await listAlerting(at.db)).map(({ version }) => version)).toEqual([1]);
  });

  it("of many who save at once lets one through", async () => {
    const config = alertingConfigSchema.parse({ receivers: [phone] });
    const results = await Promise.allSettled(
      Array.from({ length: 5 }, () => saveAlerting(at.db, { config, baseVersion: 1 }, by)),
    );
    expect(results.filter(({ status }) => status === "fulfilled")).toHaveLength(1);
  });

  it("takes the secrets of a receiver away that is gone, and is in the audit without any secret", async () => {
    await saveAlerting(at.db, { config: alertingConfigSchema.parse({}), baseVersion: 2 }, by);
    expect(await secretNames(at.db)).toEqual({});
    expect((await getAlerting(at.db, 1))?.config.receivers).toHaveLength(1);
    const entries = (await listAudit(at.db)).items.filter(({ action }) => action === "alerting.save");
    expect(entries).toHaveLength(3);
    expect(JSON.stringify(entries)).not.toContain("s1.sealed");
    expect(entries.at(-1)?.after).toMatchObject({ secrets: { phone: ["topic"] } });
  });
});

describe("silences", () => {
  it("refuse times that cannot be, with the value and an example", async () => {
    const make = (endsAt: Date, startsAt?: Date) =>
      createSilence(
        at.db,
        { match: "", comment: "", endsAt: endsAt.toISOString(), ...(startsAt && { startsAt: startsAt.toISOString() }) },
        by,
      );
    const later = (hours: number) => new Date(now.getTime() + hours * 3_600_000);
    await expect(make(later(-1))).rejects.toThrow(/is not after its beginning and now; use e\.g\. 2026-11-22T13/);
    await expect(make(later(1), later(2))).rejects.toThrow(SilenceError);
    await expect(make(later(24 * 91))).rejects.toThrow(/at most 90 days/);
    await make(later(2), later(1));
    expect((await listSilences(at.db, { now })).items).toMatchObject([{ state: "pending", author: "ann" }]);
  });
});

const traits = (change: Partial<TraitColumns> = {}): TraitColumns => ({
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
  ...change,
});

describe("a machine as incidents see it", () => {
  it("is matched by a filter in memory as it is in the machines table, field by field", async () => {
    const { db } = at;
    const cell = fc.record({
      site: fc.constantFrom("Bern", "Graz", null),
      tags: fc.uniqueArray(fc.constantFrom("vip", "pilot"), { maxLength: 2 }),
      location: fc.constantFrom("inside" as const, "vpn" as const),
      route: fc.constantFrom("px1:8080", "direct", null),
      pacHash: fc.constantFrom("3fa91c00", null),
      tlsIssuer: fc.constantFrom("Contoso CA 2", null),
      simulated: fc.boolean(),
      agentVersion: fc.constantFrom("0.1.0", ""),
      pattern: fc.constantFrom("proxy-unreachable" as const, "pac-file-url" as const, null),
      cause: fc.constantFrom("px1:8080 does not answer (refused)", "Exchange (503)"),
      targets: fc.uniqueArray(fc.constantFrom("ews", "autodiscover"), { maxLength: 2 }),
    });
    const value = fc.constantFrom(
      "bern",
      "vip",
      "inside",
      "px1",
      "px1:8080",
      "direct",
      "3fa9",
      "none",
      "unknown",
      "*contoso*",
      "yes",
      "no",
      "0.1.*",
      "proxy-*",
      "pac-file-url",
      "prompting",
      "high",
      "*px1*",
      "ews",
      "failing",
      "windows",
      "file",
      "1",
    );
    const term = fc
      .tuple(fc.boolean(), fc.constantFrom(...alertMachineFields), fc.array(value, { minLength: 1, maxLength: 2 }))
      .map(([negated, field, values]) => `${negated ? "-" : ""}${field}:${values.join(",")}`)
      .filter((text) => parseFilter(text, { now: 0 }).errors.length === 0);
    const id = await machine(db, "PC-1", columns({ status: "failing" }));
    let seq = 1;
    await fc.assert(
      fc.asyncProperty(cell, fc.array(term, { minLength: 1, maxLength: 3 }), async (one, terms) => {
        const { pattern, cause, targets, tags, ...rest } = one;
        const found = {
          primaryPattern: pattern,
          primarySeverity: pattern && ("prompting" as const),
          primaryConfidence: pattern && ("high" as const),
          primaryCause: pattern && cause,
          patterns: pattern ? [pattern] : [],
        };
        const all = columns({ status: "failing", ...rest, ...found });
        await commitBatch(
          db,
          batch({
            machines: [
              update(id, [seq, seq + 1], {
                columns: all,
                traits: traits({ failedTargets: targets, simulated: one.simulated }),
              }),
            ],
          }),
        );
        seq++;
        await tagMachines(
          db,
          [id],
          { add: tags, remove: ["vip", "pilot"].filter((tag) => !tags.includes(tag as "vip")) },
          by,
        );
        const [seen] = await readTheseMachines(db, [id]);
        if (!seen) throw new Error("the machine is gone");
        const text = terms.join(" ");
        const inTable = (await listMachines(db, { terms: parseFilter(text, { now: 0 }).terms })).items.some(
          (listed) => listed.id === id,
        );
        const inMemory = matcherOf(text).member({ machine: seen.machine, incident: null, urgency: null });
        expect([text, JSON.stringify(one), inMemory]).toEqual([text, JSON.stringify(one), inTable]);
      }),
      {
        numRuns: 300,
        examples: [
          [
            {
              site: "Bern",
              tags: [],
              location: "inside",
              route: "px1:8080",
              pacHash: null,
              tlsIssuer: null,
              simulated: false,
              agentVersion: "0.1.0",
              pattern: "pac-file-url",
              cause: "Exchange (503)",
              targets: [],
            },
            ["pac:none"],
          ],
        ],
      },
    );
  });

  it("is read where it fails, or is part of a silent site, or is asked for as a member", async () => {
    const { db } = at;
    const made = async (name: string, change: Partial<MachineColumns>) => {
      const id = await machine(db, name);
      await commitBatch(db, batch({ machines: [update(id, [1, 2], { columns: columns(change), traits: traits() })] }));
      return id;
    };
    const healthy = await made("PC-2", {});
    const failing = await made("PC-3", { status: "failing" });
    const silent = await made("PC-4", { status: "stale", patterns: ["fleet-blind"] });
    const gone = await made("PC-5", { status: "signed-off" });
    const ids = async (members: string[]) => (await readFailingMachines(db, members)).map(({ machine: one }) => one.id);
    const found = await ids([gone, failing, silent]);
    for (const id of [failing, silent, gone]) expect(found.filter((one) => one === id)).toHaveLength(1);
    expect(found).not.toContain(healthy);
    expect(await ids([])).not.toContain(gone);
  });
});
