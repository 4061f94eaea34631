import type { Finding } from "@lynceus/protocol/state";
import * as fc from "fast-check";
import { describe, expect, it } from "vitest";
import { listFindings } from "../src/findings.ts";
import { commitBatch } from "../src/ingest.ts";
import { getMachine } from "../src/machines.ts";
import { getObservation, listObservations, verdictHistory } from "../src/observations.ts";
import { toSqlJson, toSqlText } from "../src/sql-text.ts";
import { loadStates } from "../src/states.ts";
import { listTimeline } from "../src/timeline.ts";
import {
  batch,
  columns,
  emptyState,
  enrol,
  epoch,
  minutesAgo,
  now,
  observation,
  update,
  useDatabase,
} from "./fixtures.ts";

const finding = (over: Partial<Finding> = {}): Finding => ({
  pattern: "proxy-auth-required",
  severity: "prompting",
  confidence: "high",
  primary: true,
  explains: true,
  configurations: ["a1b2"],
  users: 1,
  since: minutesAgo(30).getTime(),
  evidence: [{ text: "407 from px1", at: null, key: null, value: null }],
  sentence: "px1 asks for its own login.",
  cause: "px1.contoso.com asks for its own login",
  ...over,
});

describe("a batch", () => {
  const at = useDatabase();

  it("stores observations, state, columns, findings and timeline together", async () => {
    const { db } = at;
    const id = await enrol(db, "LT-0001");
    const { conflicts } = await commitBatch(
      db,
      batch({
        observations: [observation(id, 1), observation(id, 2, { key: "settings", kind: "settings", verdict: null })],
        machines: [
          update(id, [0, 2], {
            columns: columns({
              status: "failing",
              primaryPattern: "proxy-auth-required",
              primarySeverity: "prompting",
              primaryConfidence: "high",
              primaryCause: "px1",
              primarySince: minutesAgo(30).getTime(),
              patterns: ["proxy-auth-required"],
              osVersion: "10.0.22631",
            }),
            checkpoint: true,
          }),
        ],
        findings: [{ kind: "raise", machineId: id, finding: finding() }],
        transitions: [
          {
            machineId: id,
            at: now,
            kind: "status",
            text: "healthy → failing",
            detail: null,
            severity: "failing",
            replayed: false,
            changeKey: null,
          },
        ],
      }),
    );
    expect(conflicts).toEqual([]);
    const machine = await getMachine(db, id);
    expect(machine).toMatchObject({
      status: "failing",
      since: now.toISOString(),
      lastSeenAt: now.toISOString(),
      osVersion: "10.0.22631",
      primary: { pattern: "proxy-auth-required", severity: "prompting", confidence: "high", cause: "px1" },
      diagnosis: { status: "cannot-tell" },
    });
    const stored = (await loadStates(db, [id])).get(id);
    expect(stored).toMatchObject({ epoch, lastSeq: 2, checkpointAt: now, approved: true });
    expect((await listObservations(db, id)).items.map((row) => row.seq)).toEqual([2, 1]);
    expect(await getObservation(db, id, { seq: 2 })).toMatchObject({ kind: "settings", receivedAt: now.toISOString() });
    expect((await listFindings(db, { machineId: id, open: true })).items).toMatchObject([
      {
        pattern: "proxy-auth-required",
        hostname: "LT-0001",
        since: minutesAgo(30).toISOString(),
        clearedAt: null,
        users: 1,
      },
    ]);
    expect((await listTimeline(db, id)).items.map((entry) => entry.kind)).toEqual(["status", "enrolled"]);
  });

  it("is harmless when it is sent again: the machine is a conflict and nothing is stored twice", async () => {
    const { db } = at;
    const id = await enrol(db, "LT-0002");
    const same = batch({ observations: [observation(id, 1), observation(id, 2)], machines: [update(id, [0, 2])] });
    expect(await commitBatch(db, same)).toEqual({ conflicts: [] });
    expect(await commitBatch(db, same)).toEqual({ conflicts: [id] });
    expect((await listObservations(db, id)).items).toHaveLength(2);
  });

  it("leaves out only the machines in conflict, whole", async () => {
    const { db } = at;
    const [behind, fine] = [await enrol(db, "LT-0003"), await enrol(db, "LT-0004")];
    const unknown = "99999999-9999-4999-8999-999999999999";
    const { conflicts } = await commitBatch(
      db,
      batch({
        observations: [observation(behind, 8), observation(fine, 1), observation(unknown, 1)],
        machines: [update(behind, [7, 8]), update(fine, [0, 1]), update(unknown, [0, 1])],
        findings: [{ kind: "raise", machineId: behind, finding: finding() }],
        transitions: [behind, fine].map((machineId) => ({
          machineId,
          at: now,
          kind: "verdict",
          text: "x",
          detail: null,
          severity: null,
          replayed: false,
          changeKey: null,
        })),
      }),
    );
    expect(conflicts.sort()).toEqual([behind, unknown].sort());
    expect((await listObservations(db, behind)).items).toEqual([]);
    expect((await listFindings(db, { machineId: behind })).total).toBe(0);
    expect((await listTimeline(db, behind)).items.map((entry) => entry.kind)).toEqual(["enrolled"]);
    expect((await listObservations(db, fine)).items).toHaveLength(1);
    expect((await getMachine(db, behind))?.status).toBe("cannot-tell");
  });

  it("lets one of two collectors win that move a machine at once", async () => {
    const { db } = at;
    const id = await enrol(db, "LT-0005");
    const answers = await Promise.all(
      Array.from({ length: 8 }, () =>
        commitBatch(db, batch({ observations: [observation(id, 1)], machines: [update(id, [0, 1])] })),
      ),
    );
    expect(answers.filter(({ conflicts }) => conflicts.length === 0)).toHaveLength(1);
    expect((await listObservations(db, id)).items).toHaveLength(1);
  });

  it("begins a new epoch at seq 1 and refuses to go on in the middle of an unknown one", async () => {
    const { db } = at;
    const id = await enrol(db, "LT-0006");
    const second = "22222222-2222-4222-8222-222222222222";
    await commitBatch(db, batch({ machines: [update(id, [0, 5])] }));
    expect(await commitBatch(db, batch({ machines: [update(id, [5, 6], { epoch: second })] }))).toEqual({
      conflicts: [id],
    });
    expect(await commitBatch(db, batch({ machines: [update(id, [0, 3], { epoch: second })] }))).toEqual({
      conflicts: [],
    });
    expect((await loadStates(db, [id])).get(id)).toMatchObject({ epoch: second, lastSeq: 3 });
  });

  it("keeps NUL and lone surrogates visibly, in text, keys and jsonb", async () => {
    const { db } = at;
    const id = await enrol(db, "LT\u0000-\ud800");
    const state = emptyState();
    state.diagnosis.sentence = "a\u0000b";
    await commitBatch(
      db,
      batch({
        observations: [
          observation(id, 1, {
            raw: true,
            kind: "new\u0000kind",
            facts: { "k\u0000": "v\udc00", fine: "😀 \\u0000 \\ud800" },
          }),
        ],
        machines: [update(id, [0, 1], { state, columns: columns({ route: "px\u0000:8080" }) })],
        transitions: [
          {
            machineId: id,
            at: now,
            kind: "settings",
            text: "a\ud83d",
            detail: "\u0000",
            severity: null,
            replayed: false,
            changeKey: null,
          },
        ],
        quarantine: [{ machineId: id, reason: "bad \u0000", payload: "e30=" }],
      }),
    );
    const machine = await getMachine(db, id);
    expect(machine).toMatchObject({
      hostname: "LT\ufffd-\ufffd",
      route: "px\ufffd:8080",
      diagnosis: { sentence: "a\ufffdb" },
    });
    expect((await getObservation(db, id, { seq: 1 }))?.facts).toEqual({
      "k\ufffd": "v\ufffd",
      fine: "😀 \\u0000 \\ud800",
    });
  });

  it("stores nothing of a batch that PostgreSQL refuses", async () => {
    const { db } = at;
    const id = await enrol(db, "LT-0007");
    const bad = {
      machineId: id,
      at: now,
      kind: "status" as const,
      text: "x",
      detail: null,
      severity: null,
      replayed: false,
      changeKey: null,
      id: "no uuid",
    };
    await expect(
      commitBatch(
        db,
        batch({ observations: [observation(id, 1)], machines: [update(id, [0, 1])], transitions: [bad] }),
      ),
    ).rejects.toThrow(/uuid/);
    expect((await loadStates(db, [id])).get(id)?.lastSeq).toBe(0);
    expect((await listObservations(db, id)).items).toEqual([]);
  });

  it("makes the partition of a day that nobody prepared", async () => {
    const { db } = at;
    const id = await enrol(db, "LT-0008");
    const later = new Date("2027-03-01T00:00:00Z");
    expect(
      await commitBatch(db, batch({ now: later, observations: [observation(id, 1)], machines: [update(id, [0, 1])] })),
    ).toEqual({ conflicts: [] });
    expect((await listObservations(db, id)).items).toHaveLength(1);
  });

  it("follows a finding through raise, update, clear and raise again, also within one batch", async () => {
    const { db } = at;
    const id = await enrol(db, "LT-0009");
    const pattern = "proxy-auth-required" as const;
    await commitBatch(
      db,
      batch({ machines: [update(id, [0, 1])], findings: [{ kind: "raise", machineId: id, finding: finding() }] }),
    );
    await commitBatch(
      db,
      batch({
        machines: [update(id, [1, 2])],
        findings: [
          { kind: "update", machineId: id, finding: finding({ confidence: "low", configurations: ["x", "y"] }) },
          { kind: "clear", machineId: id, pattern, clearedAt: now },
          { kind: "raise", machineId: id, finding: finding({ since: now.getTime() }) },
          { kind: "update", machineId: id, finding: finding({ since: now.getTime(), users: 7 }) },
        ],
      }),
    );
    const { items } = await listFindings(db, { machineId: id });
    expect(items).toMatchObject([
      { since: now.toISOString(), clearedAt: null, users: 7 },
      {
        since: minutesAgo(30).toISOString(),
        clearedAt: now.toISOString(),
        confidence: "low",
        configurations: ["x", "y"],
      },
    ]);
    // A collector that lost its memory raises what is raised.
    await commitBatch(
      db,
      batch({ machines: [update(id, [2, 3])], findings: [{ kind: "raise", machineId: id, finding: finding() }] }),
    );
    expect((await listFindings(db, { machineId: id, open: true })).total).toBe(1);
  });

  it("moves `since` only when the status changes", async () => {
    const { db } = at;
    const id = await enrol(db, "LT-0010");
    await commitBatch(
      db,
      batch({ machines: [update(id, [0, 1], { seenAt: minutesAgo(20), columns: columns({ status: "failing" }) })] }),
    );
    await commitBatch(
      db,
      batch({ machines: [update(id, [1, 2], { seenAt: minutesAgo(5), columns: columns({ status: "failing" }) })] }),
    );
    expect(await getMachine(db, id)).toMatchObject({
      since: minutesAgo(20).toISOString(),
      lastSeenAt: minutesAgo(5).toISOString(),
    });
    await commitBatch(
      db,
      batch({
        machines: [update(id, [2, 3], { columns: columns({ status: "healthy", statusSince: minutesAgo(2) }) })],
      }),
    );
    expect((await getMachine(db, id))?.since).toBe(minutesAgo(2).toISOString());
  });

  it("gives the history of verdicts by key with what held at its start", async () => {
    const { db } = at;
    const id = await enrol(db, "LT-0011");
    const step = (seq: number, minutes: number, verdict: "exchange-onprem" | "tcp-timeout") =>
      observation(id, seq, { observedAt: minutesAgo(minutes), verdict });
    await commitBatch(
      db,
      batch({
        machines: [update(id, [0, 4])],
        observations: [
          step(1, 90, "tcp-timeout"),
          step(2, 60, "exchange-onprem"),
          step(3, 20, "tcp-timeout"),
          step(4, 5, "exchange-onprem"),
        ],
      }),
    );
    const history = await verdictHistory(db, id, minutesAgo(30));
    expect(history.map(({ at: when, verdict }) => [when.toISOString(), verdict])).toEqual([
      [minutesAgo(60).toISOString(), "exchange-onprem"],
      [minutesAgo(20).toISOString(), "tcp-timeout"],
      [minutesAgo(5).toISOString(), "exchange-onprem"],
    ]);
  });

  it("pages observations over rows that were received at one moment", async () => {
    const { db } = at;
    const id = await enrol(db, "LT-0012");
    await commitBatch(
      db,
      batch({ machines: [update(id, [0, 7])], observations: [1, 2, 3, 4, 5, 6, 7].map((seq) => observation(id, seq)) }),
    );
    const seqs: number[] = [];
    let cursor: string | null = null;
    do {
      const page = await listObservations(db, id, { limit: 3, cursor });
      seqs.push(...page.items.map((row) => row.seq));
      cursor = page.nextCursor;
    } while (cursor);
    expect(seqs).toEqual([7, 6, 5, 4, 3, 2, 1]);
  });
});

describe("text for SQL", () => {
  const text = fc.string({
    unit: fc.oneof(fc.constantFrom("\u0000", "\ud800", "\udc00", "\\", '"', "u0000"), fc.string({ unit: "binary" })),
  });

  it("holds no NUL and no lone surrogate, and changes nothing else", () => {
    fc.assert(
      fc.property(text, (value) => {
        const clean = toSqlText(value);
        expect(clean.includes("\u0000")).toBe(false);
        expect(Buffer.from(clean, "utf8").toString("utf8")).toBe(clean);
        expect(clean).toHaveLength(value.length);
      }),
    );
  });

  it("is the same whether cleaned before or after JSON", () => {
    fc.assert(
      fc.property(text, text, (key, value) => {
        expect(JSON.parse(toSqlJson([value, { [key]: value }]))).toEqual([
          toSqlText(value),
          JSON.parse(JSON.stringify({ [toSqlText(key)]: toSqlText(value) })),
        ]);
      }),
    );
  });
});
