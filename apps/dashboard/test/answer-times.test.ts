import type { Route } from "@lynceus/protocol/facts";
import type { Target } from "@lynceus/protocol/policy";
import { buildPolicy } from "@lynceus/protocol/presets";
import type { MachineFacts } from "@lynceus/protocol/state";
import { describe, expect, test } from "vitest";
import { answerTable, answerTimes, probeKeys } from "../src/components/machine/answer-times.ts";
import { direct, domain, ewsHost, probeFacts, proxied } from "./support/facts.ts";

const hour = 3_600_000;
const minute = 60_000;
const px1 = proxied("px1.contoso.com");
const t0 = Date.UTC(2026, 10, 24, 2);
const policy = buildPolicy({ ews: [ewsHost], smtpDomains: [domain], sipDomains: [] }, 1);

const ews = policy.targets[0] as Target;

/** Facts with one probe of EWS a route, its ring as given: minutes after t0, milliseconds, answered or not. */
function factsOf(
  routes: Partial<Record<"configured" | "direct", [at: number, ms: number, ok: boolean][]>>,
  route?: Route,
) {
  const probes = Object.entries(routes).map(([via, ring]) => [
    `c1:${ews.id}:${via}`,
    {
      facts: probeFacts(ews, via as "configured" | "direct", "c1", { route: route ?? px1 }),
      ring: ring.map(([at, totalMs, ok]) => ({
        at: t0 + at * minute,
        totalMs,
        verdict: ok ? "exchange-onprem" : "http-timeout",
      })),
    },
  ]);
  return { probes: Object.fromEntries(probes) } as unknown as MachineFacts;
}
const hoursBack = (count: number, ms: (back: number) => number) =>
  Array.from({ length: count }, (_, i) => ({ at: t0 - (count - i - 0.5) * hour, ms: ms(count - i), ok: true }));
const whole = { from: t0 - 168 * hour, to: t0 + hour };
const given = { configuration: "c1", target: ews.id, policy, range: whole };

describe("times to answer", () => {
  test("are the hours written down, then the newest probes, a failure or a long silence breaking the line", () => {
    const facts = factsOf({
      configured: [
        [15, 40, true],
        [30, 5_000, false],
        [45, 44, true],
      ],
    });
    const hours = new Map([
      [`c1:${ews.id}:configured`, [{ at: t0 - 9.5 * hour, ms: 90, ok: true }, ...hoursBack(2, () => 41)]],
    ]);
    const { times, series } = answerTimes({ facts, hours, ...given });
    expect(times.map((at) => (at * 1000 - t0) / minute)).toEqual([-570, -570 + 1 / 60, -90, -30, 15, 30, 45]);
    expect(series.map(({ label, values }) => [label, values])).toEqual([
      ["configured", [90, null, 41, 41, 40, null, 44]],
    ]);
    expect(answerTable({ times, series, usual: null }, { now: t0, zone: "UTC" }).rows.slice(0, 2)).toEqual([
      ["02:45", "44 ms"],
      ["02:30", "no answer"],
    ]);
  });

  test("name the middle of seven days once half a day is known, and nothing before", () => {
    const facts = factsOf({ configured: [[15, 40, true]] });
    const usual = (count: number) =>
      answerTimes({ facts, hours: new Map([[`c1:${ews.id}:configured`, hoursBack(count, (back) => back)]]), ...given })
        .usual;
    expect(usual(11)).toBeNull();
    expect(usual(12)).toBe(6);
    expect(usual(400)).toBe(84);
  });

  test("of a machine whose settings say direct are one line, since both routes are one", () => {
    const facts = factsOf({ configured: [[15, 40, true]], direct: [[16, 41, true]] }, direct());
    expect(probeKeys(facts, "c1", ews.id)).toEqual([`c1:${ews.id}:configured`, `c1:${ews.id}:direct`]);
    expect(answerTimes({ facts, hours: new Map(), ...given }).series.map(({ label }) => label)).toEqual(["configured"]);
  });
});
