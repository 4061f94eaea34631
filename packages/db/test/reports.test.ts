import type { PatternId } from "@lynceus/protocol/names";
import { newReportSchema } from "@lynceus/protocol/read-api-tools";
import { describe, expect, it } from "vitest";
import { listAudit } from "../src/audit.ts";
import { listen } from "../src/notify.ts";
import { dropExpired } from "../src/partitions.ts";
import {
  createReport,
  deleteReport,
  getReport,
  listReports,
  patternAccuracy,
  ReportError,
  recentPrompts,
} from "../src/reports.ts";
import { machine, minutesAgo, now, useDatabase } from "./fixtures.ts";

const by = { actor: "token helpdesk", now };
const report = (change: object = {}) => newReportSchema.parse({ user: "ann", ...change });

describe("helpdesk reports", () => {
  const at = useDatabase();

  /** A finding on a machine, raised a while ago. */
  const raise = (
    machineId: string,
    pattern: PatternId,
    change: { primary?: boolean; severity?: string; since?: Date; clearedAt?: Date | null } = {},
  ) =>
    at.db.prisma.finding.create({
      data: {
        id: crypto.randomUUID(),
        machineId,
        pattern,
        severity: change.severity ?? "prompting",
        confidence: "high",
        primary: change.primary ?? true,
        cause: "a test",
        sentence: "a test",
        evidence: [],
        configurations: [],
        since: change.since ?? minutesAgo(120),
        clearedAt: change.clearedAt ?? null,
      },
    });

  it("are stored as given, told to listeners, and name nobody in the audit", async () => {
    const { db } = at;
    const id = await machine(db, "LT-1");
    const heard: string[] = [];
    const listener = listen(db.url, ({ channel, payload }) => heard.push(`${channel} ${payload}`), {
      channels: ["lynceus_report"],
    });
    await listener.ready;
    const made = await createReport(db, id, report({ user: "Zoë O'Hara\u0000", note: "at logon" }), by);
    expect(made).toMatchObject({ hostname: "LT-1", user: "Zoë O'Hara\ufffd", note: "at logon", prompted: true });
    expect(made?.at).toBe(now.toISOString());
    await expect.poll(() => heard).toEqual([`lynceus_report ${id}`]);
    await listener.close();
    const { items } = await listAudit(db, { subject: id });
    expect(items).toMatchObject([{ actor: "token helpdesk", action: "report.create" }]);
    expect(JSON.stringify(items)).not.toContain("Zoë");
    expect(await deleteReport(db, made?.id ?? "", by)).toBe(true);
    expect(await getReport(db, made?.id ?? "")).toBeNull();
    expect(await deleteReport(db, made?.id ?? "", by)).toBe(false);
  });

  it("are of a known machine and of the last months", async () => {
    const { db } = at;
    const id = await machine(db, "LT-2");
    expect(await createReport(db, crypto.randomUUID(), report(), by)).toBeNull();
    await expect(createReport(db, id, report({ at: "2031-01-01T00:00:00Z" }), by)).rejects.toThrow(ReportError);
    await expect(createReport(db, id, report({ at: "2020-01-01T00:00:00Z" }), by)).rejects.toThrow(/last 90 days/);
    for (const bad of [
      { user: "" },
      { user: "x".repeat(65) },
      { at: "yesterday" },
      { pattern: "nonsense" },
      { role: "admin" },
    ])
      expect(newReportSchema.safeParse({ user: "ann", ...bad }).success).toBe(false);
  });

  it("come a page at a time, with what was raised then and makes prompts expected", async () => {
    const { db } = at;
    const id = await machine(db, "LT-3");
    await raise(id, "proxy-auth-required");
    await raise(id, "wpad-missing", { severity: "at-risk", primary: false });
    await raise(id, "captive-portal", { since: minutesAgo(500), clearedAt: minutesAgo(400) });
    for (const minutes of [0, 10, 20])
      await createReport(db, id, report({ at: minutesAgo(minutes).toISOString() }), by);
    const first = await listReports(db, { machineId: id, limit: 2 });
    expect(first).toMatchObject({ total: 3, items: [{ raised: ["proxy-auth-required"] }, {}] });
    const rest = await listReports(db, { machineId: id, limit: 2, cursor: first.nextCursor });
    expect(rest.items.map(({ at }) => at)).toEqual([minutesAgo(20).toISOString()]);
    expect(rest.nextCursor).toBeNull();
  });

  it("are for a machine's diagnosis until somebody looks and sees no prompt", async () => {
    const { db } = at;
    const id = await machine(db, "LT-4");
    const prompts = () => recentPrompts(db, minutesAgo(60), id);
    for (const minutes of [90, 30, 20])
      await createReport(db, id, report({ at: minutesAgo(minutes).toISOString() }), by);
    expect((await prompts()).map(({ at }) => at)).toEqual([minutesAgo(30), minutesAgo(20)]);
    await createReport(db, id, report({ prompted: false, at: minutesAgo(5).toISOString() }), by);
    expect(await prompts()).toEqual([]);
  });

  it("go with the retention of the timeline", async () => {
    const { db } = at;
    const id = await machine(db, "LT-5");
    await createReport(db, id, report(), by);
    await dropExpired(db, new Date(now.getTime() + 400 * 86_400_000), { observationDays: 30, historyDays: 396 });
    expect((await listReports(db)).total).toBe(0);
  });
});

describe("a pattern's accuracy by reports", () => {
  const at = useDatabase();

  it("counts what it said against what people saw, and a prompt that nothing explained against every pattern", async () => {
    const { db } = at;
    const raise = (machineId: string, pattern: PatternId, primary = true, severity = "prompting") =>
      db.prisma.finding.create({
        data: {
          id: crypto.randomUUID(),
          machineId,
          pattern,
          severity,
          confidence: "high",
          primary,
          cause: "",
          sentence: "",
          evidence: [],
          configurations: [],
          since: minutesAgo(120),
        },
      });
    const seen = async (hostname: string, patterns: PatternId[], label: object = {}) => {
      const id = await machine(db, hostname);
      for (const [index, pattern] of patterns.entries()) await raise(id, pattern, index === 0);
      await createReport(db, id, report(label), by);
    };
    // Said, and seen: three times. Said, and not seen: once. Said, and it was another cause: once.
    for (const name of ["A1", "A2", "A3"]) await seen(name, ["proxy-auth-required", "ews-slow"]);
    await seen("B", ["proxy-auth-required"], { prompted: false });
    await seen("C", ["proxy-auth-required"], { pattern: "exchange-cert-invalid" });
    // Not said: established by hand, and unexplained.
    await seen("D", [], { pattern: "proxy-auth-required" });
    await seen("E", []);
    const accuracy = await patternAccuracy(db, minutesAgo(60));
    expect(accuracy).toMatchObject({ reports: 7, prompts: 6, noPrompts: 1, explained: { hits: 4, of: 6, few: true } });
    const of = Object.fromEntries(accuracy.patterns.map((one) => [one.pattern, one]));
    expect(of["proxy-auth-required"]).toMatchObject({
      precision: { hits: 3, of: 5, share: 0.6 },
      recall: { hits: 3, of: 5 },
    });
    // Contributing only: right whenever a prompt was seen, and no prompt is its own.
    expect(of["ews-slow"]).toMatchObject({ precision: { hits: 3, of: 3 }, recall: { hits: 0, of: 1 } });
    expect(of["exchange-cert-invalid"]).toMatchObject({
      precision: { hits: 0, of: 0, share: null },
      recall: { hits: 0, of: 2 },
    });
    expect(of["captive-portal"]).toBeUndefined();
  });
});
