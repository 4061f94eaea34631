import { delivered, rejected, retry } from "@lynceus/notify/outcome";
import { alertingConfigSchema } from "@lynceus/protocol/alerting";
import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { judge, pauseMs, type Tried } from "../src/incidents/retry.ts";
import { undeliveredNotice } from "../src/incidents/undelivered.ts";

const minute = 60_000;
const tried = (change: Partial<Tried> = {}): Tried => ({
  kind: "opened",
  urgency: "high",
  attempts: 1,
  createdAt: 0,
  reported: false,
  ...change,
});
const by = (now = 1000) => ({ now, random: 0.5 });

describe("the pause before another try", () => {
  it("doubles, half of it by chance, and is never longer than ten minutes", () => {
    expect([1, 2, 3, 4, 9, 10, 150].map((attempts) => pauseMs(attempts, null, 1))).toEqual([
      2_000, 4_000, 8_000, 16_000, 512_000, 600_000, 600_000,
    ]);
    expect(pauseMs(3, null, 0)).toBe(4_000);
  });

  it("is as long as the receiver asked for, where that is longer", () => {
    expect(pauseMs(1, 90_000, 0.5)).toBe(90_000);
    expect(pauseMs(10, 1_000, 1)).toBe(600_000);
  });

  it("is never nothing, whatever the numbers", () => {
    fc.assert(
      fc.property(
        fc.integer({ min: 1, max: 1e6 }),
        fc.double({ min: 0, max: 0.999, noNaN: true }),
        (attempts, random) => {
          const pause = pauseMs(attempts, null, random);
          expect(pause).toBeGreaterThanOrEqual(1_000);
          expect(pause).toBeLessThanOrEqual(600_000);
        },
      ),
    );
  });
});

describe("a try is judged", () => {
  it.each([
    ["delivered", delivered("HTTP 200"), {}, "sent", false],
    ["worth another try", retry("HTTP 503"), {}, "failed", false],
    ["refused for good", rejected("HTTP 404"), {}, "dead", true],
    ["a day old", retry("HTTP 503"), { attempts: 150 }, "dead", true],
    ["of a test, which waits for nobody", retry("HTTP 503"), { kind: "test" as const }, "dead", false],
    ["of an acknowledgement that nobody needs", rejected("HTTP 404"), { kind: "acknowledged" as const }, "dead", false],
    ["told of before", rejected("HTTP 404"), { reported: true }, "dead", false],
  ])("as %s", (_, outcome, change, state, report) => {
    const judged = judge(outcome, tried(change), by());
    expect([judged.settlement.state, judged.report]).toEqual([state, report]);
  });

  it("as to be told elsewhere once it is urgent and two minutes late, while it is tried on", () => {
    expect(judge(retry("x"), tried(), by(2 * minute)).report).toBe(true);
    expect(judge(retry("x"), tried(), by(2 * minute)).settlement.state).toBe("failed");
    expect(judge(retry("x"), tried({ urgency: "low" }), by(2 * minute)).report).toBe(false);
  });
});

describe("what does not get through is told elsewhere", () => {
  const config = alertingConfigSchema.parse({
    receivers: ["a", "b", "c", "d"].map((id) => ({ type: "ntfy", id, name: `Phone ${id}` })),
    settings: { fallback: ["c", "b"] },
  });
  const notice = (change: object = {}) => ({
    key: "x-1-1",
    kind: "opened" as const,
    thread: "lynceus-x-1",
    receiver: "a",
    incident: 1,
    urgency: "high" as const,
    body: {
      kind: "opened" as const,
      key: "x-1-1",
      thread: "lynceus-x-1",
      at: "2026-11-22T08:00:00.000Z",
      headline: "8 machines: px1 does not answer",
      reason: "it opened",
      incident: null,
      incidents: [],
      change: null,
      acknowledgeUrl: null,
    },
    ...change,
  });

  it("by the first fallback, then by the next, then by any other, until none is left", () => {
    const order: string[] = [];
    let current = notice();
    for (;;) {
      const [next] = undeliveredNotice(current, "HTTP 404", config, { now: 0 });
      if (!next) break;
      order.push(next.receiver);
      expect(next.body.headline).toBe("Not delivered to Phone a: 8 machines: px1 does not answer");
      expect(next.body.reason).toBe("Phone a could not be reached: HTTP 404");
      current = notice(next);
    }
    expect(order).toEqual(["c", "b", "d"]);
  });

  it("with a key of its own for each receiver, the same each time", () => {
    const [first] = undeliveredNotice(notice(), "x", config, { now: 0 });
    const [again] = undeliveredNotice(notice(), "y", config, { now: 5 });
    expect(first?.key).toBe(again?.key);
    expect(first?.key).not.toBe("x-1-1");
  });
});
