import type { Policy } from "@lynceus/protocol/policy";
import { buildPolicy } from "@lynceus/protocol/presets";
import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { backOffMs } from "../src/link/back-off.ts";
import { createSchedule, type Due, type Schedule } from "../src/schedule.ts";

const minute = 60_000;
const base = buildPolicy(
  {
    ews: ["mail.contoso.com"],
    smtpDomains: ["contoso.com"],
    sipDomains: ["contoso.com"],
    control: "http://control.contoso.com/",
  },
  1,
);
const unspaced: Policy = { ...base, minSecondsPerHost: 0 };
const begin = (policy = unspaced, random = () => 0.5): Schedule => {
  const schedule = createSchedule(random);
  schedule.setPolicy(policy, 0);
  return schedule;
};
const probe = (due: Due | null) => {
  if (due?.type !== "probe") throw new Error(`expected a probe, got ${JSON.stringify(due)}`);
  return due;
};
/** Everything that falls due up to `until`, with its time. */
function run(schedule: Schedule, until: number, onDue: (due: Due, at: number) => void = () => {}) {
  const seen: { at: number; due: Due }[] = [];
  for (let at = schedule.nextAt(); at <= until; at = Math.max(at, schedule.nextAt())) {
    const due = schedule.take(at);
    if (!due) throw new Error(`nextAt said ${at}, but nothing was due`);
    seen.push({ at, due });
    onDue(due, at);
  }
  return seen;
}

describe("the schedule", () => {
  it("has nothing to do without a policy", () => {
    const schedule = createSchedule(() => 0.5);
    expect(schedule.take(1e9)).toBeNull();
    expect(schedule.nextAt()).toBe(Number.POSITIVE_INFINITY);
  });

  it("probes everything at the start", () => {
    const due = probe(begin().take(0));
    expect(due).toMatchObject({ reason: "start", whole: true });
    expect(new Set(due.targets)).toEqual(new Set(base.targets.map((target) => target.id)));
  });

  it("repeats the cycle every 15 minutes, give or take a fifth", () => {
    fc.assert(
      fc.property(
        fc.array(fc.double({ min: 0, max: 0.999999, noNaN: true }), { minLength: 1, maxLength: 20 }),
        (values) => {
          let n = 0;
          const seen = run(
            begin(unspaced, () => values[n++ % values.length] ?? 0),
            6 * 60 * minute,
          );
          const cycles = seen.filter(({ due }) => due.type === "probe").map(({ at }) => at);
          expect(cycles.length).toBeGreaterThan(10);
          for (let i = 1; i < cycles.length; i++) {
            const gap = (cycles[i] ?? 0) - (cycles[i - 1] ?? 0);
            expect(gap).toBeGreaterThanOrEqual(12 * minute);
            expect(gap).toBeLessThanOrEqual(18 * minute);
          }
        },
      ),
    );
  });

  it("reads the settings every five minutes in between", () => {
    const settings = run(begin(), 14 * minute).filter(({ due }) => due.type === "settings");
    expect(settings.map(({ at }) => at)).toEqual([5 * minute, 10 * minute]);
  });

  it("samples the secondary targets in every fourth cycle", () => {
    const cycles = run(begin(), 2 * 60 * minute)
      .map(({ due }) => due)
      .filter((due) => due.type === "probe");
    const withSampled = cycles.map((due) => due.targets.includes("mapi"));
    expect(withSampled.slice(0, 6)).toEqual([true, false, false, false, true, false]);
    expect(cycles.every((due) => due.targets.includes("ews"))).toBe(true);
  });

  it("adds a cycle 5 to 60 seconds after a change of the network, at most one a minute", () => {
    fc.assert(
      fc.property(fc.double({ min: 0, max: 0.999999, noNaN: true }), (value) => {
        const schedule = begin(unspaced, () => value);
        schedule.take(0);
        schedule.networkChanged(1000);
        schedule.networkChanged(2000);
        const first = schedule.nextAt();
        expect(first).toBeGreaterThanOrEqual(6000);
        expect(first).toBeLessThanOrEqual(61_000);
        expect(probe(schedule.take(first)).reason).toBe("network");
        schedule.networkChanged(first + 1);
        expect(schedule.nextAt()).toBeGreaterThanOrEqual(first + minute);
        expect(schedule.nextAt()).toBeLessThanOrEqual(first + minute + 1);
      }),
    );
  });

  it("lets one target of a host go at a time where the policy gives it a share", () => {
    const schedule = begin({ ...base, minSecondsPerHost: 120 });
    const hostOf = new Map(base.targets.map((target) => [target.id, target.host]));
    const last = new Map<string, number>();
    const probed = new Set<string>();
    run(schedule, 20 * minute, (due, at) => {
      if (due.type !== "probe") return;
      for (const id of due.targets) {
        probed.add(id);
        const host = hostOf.get(id) ?? "";
        expect(at - (last.get(host) ?? Number.NEGATIVE_INFINITY)).toBeGreaterThanOrEqual(2 * minute);
        last.set(host, at);
      }
    });
    expect(probed).toEqual(new Set(base.targets.map((target) => target.id)));
  });

  it("begins with what the rest is judged by", () => {
    const first = probe(begin({ ...base, minSecondsPerHost: 120 }).take(0));
    expect(first.targets).toContain("ews");
    expect(first.targets).not.toContain("mapi");
  });

  it("makes the first picture whole at once, Exchange first, where only one machine's own restraint spaces requests", () => {
    const schedule = begin(base);
    expect(base.minSecondsPerHost).toBe(60);
    const first = probe(schedule.take(0));
    expect(first.targets[0]).toBe("ews");
    expect(new Set(first.targets)).toEqual(new Set(base.targets.map((target) => target.id)));
    // From then on the share holds.
    schedule.networkChanged(0);
    const next = probe(schedule.take(schedule.nextAt()));
    expect(next.targets.length).toBeLessThan(base.targets.length);
  });

  it("asks everything at once when an admin waits, whatever the share", () => {
    const schedule = begin({ ...base, minSecondsPerHost: 60 });
    schedule.take(0);
    schedule.checkNow(1000);
    expect(schedule.nextAt()).toBeLessThanOrEqual(1000);
    const due = probe(schedule.take(1000));
    expect(due.reason).toBe("check-now");
    expect(due.targets).toHaveLength(base.targets.length);
    expect(schedule.take(1000)).toBeNull();
  });

  it("tries a failed target twice more, spread over one to five minutes, and then in its normal turn", () => {
    fc.assert(
      fc.property(fc.double({ min: 0, max: 0.999999, noNaN: true }), (value) => {
        const schedule = begin(
          { ...unspaced, intervals: { ...base.intervals, cycleMinutes: 600, settingsMinutes: 600 } },
          () => value,
        );
        schedule.take(0);
        schedule.probed("ews", true, 0);
        const tries: number[] = [];
        run(schedule, 60 * minute, (due, at) => {
          expect(due).toMatchObject({ type: "probe", reason: "failed", targets: ["ews"], whole: false });
          tries.push(at);
          schedule.probed("ews", true, at);
        });
        expect(tries).toHaveLength(2);
        const [first = 0, second = 0] = tries;
        expect(first).toBeGreaterThanOrEqual(minute);
        expect(first).toBeLessThanOrEqual(2 * minute);
        expect(second - first).toBeGreaterThanOrEqual(2 * minute);
        expect(second - first).toBeLessThanOrEqual(5 * minute);
      }),
    );
  });

  it("starts the two tries anew after the target was good again", () => {
    const schedule = begin({ ...unspaced, intervals: { ...base.intervals, cycleMinutes: 600, settingsMinutes: 600 } });
    schedule.take(0);
    schedule.probed("ews", true, 0);
    schedule.probed("ews", false, 1);
    expect(schedule.nextAt()).toBeGreaterThan(60 * minute);
    schedule.probed("ews", true, 2);
    expect(schedule.nextAt()).toBeLessThanOrEqual(2 * minute + 2);
  });

  it("spreads the first use of a changed policy, which reaches the whole fleet at once", () => {
    const schedule = begin();
    schedule.take(0);
    schedule.setPolicy({ ...unspaced, version: 2, targets: unspaced.targets.slice(0, 1) }, 1000);
    expect(schedule.nextAt()).toBeGreaterThanOrEqual(6000);
    expect(schedule.nextAt()).toBeLessThanOrEqual(61_000);
    expect(probe(schedule.take(schedule.nextAt())).targets).toEqual([unspaced.targets[0]?.id]);
  });

  it("never says that something is due which is not, whatever happens", () => {
    const event = fc.oneof(
      fc.record({
        type: fc.constantFrom("network", "check", "good", "bad", "policy"),
        wait: fc.integer({ min: 0, max: 20 * minute }),
      }),
    );
    fc.assert(
      fc.property(
        fc.array(event, { maxLength: 30 }),
        fc.double({ min: 0, max: 0.99, noNaN: true }),
        (events, value) => {
          const schedule = begin(base, () => value);
          let now = 0;
          for (const { type, wait } of events) {
            run(schedule, now + wait);
            now += wait;
            if (type === "network") schedule.networkChanged(now);
            else if (type === "check") schedule.checkNow(now);
            else if (type === "policy") schedule.setPolicy(base, now);
            else schedule.probed("ews", type === "bad", now);
            if (type === "check") expect(probe(schedule.take(now)).reason).toBe("check-now");
          }
        },
      ),
    );
  });
});

describe("the back-off", () => {
  it("stays between its floor and a bound that doubles up to the cap", () => {
    fc.assert(
      fc.property(fc.nat(1000), fc.double({ min: 0, max: 0.999999, noNaN: true }), (attempt, value) => {
        const wait = backOffMs(attempt, () => value);
        expect(wait).toBeGreaterThanOrEqual(200);
        expect(wait).toBeLessThanOrEqual(Math.min(300_000, 1000 * 2 ** attempt));
      }),
    );
  });

  it("uses the whole range, so that a fleet comes back spread out", () => {
    expect(backOffMs(5, () => 0)).toBe(200);
    expect(backOffMs(5, () => 0.999999)).toBeGreaterThan(31_000);
    expect(backOffMs(5, () => 0.5)).toBeCloseTo(16_100, -1);
  });

  it("never undercuts what the collector asked for, and spreads it by a fifth", () => {
    fc.assert(
      fc.property(
        fc.nat(20),
        fc.integer({ min: 0, max: 86_400 }),
        fc.double({ min: 0, max: 0.999, noNaN: true }),
        (attempt, asked, value) => {
          const wait = backOffMs(attempt, () => value, asked);
          expect(wait).toBeGreaterThanOrEqual(asked * 1000);
          expect(wait).toBeLessThanOrEqual(Math.max(asked * 1200, 300_000));
        },
      ),
    );
  });
});
