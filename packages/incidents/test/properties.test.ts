import { everyMachine } from "@lynceus/protocol/access";
import fc from "fast-check";
import { expect, it } from "vitest";
import type { Machine } from "../src/types.ts";
import { cause, config, finding, hour, machine, minute, second, World } from "./support/world.ts";

const faults = [
  finding("proxy-unreachable", "px1:8080 does not answer (refused)"),
  finding("proxied-path-broken", "px1:8080 does not carry Exchange (502)"),
  finding("fleet-shared-proxy", "px1:8080 fails for all behind it"),
  finding("tls-interception", "Zscaler decrypts mail"),
  finding("proxy-baseline-drift", "not the setting that is rolled out", "at-risk"),
  null,
];
const proxies = ["px1:8080", "px2:8080", null];
const sites = ["Singapore", "Manila", null];

type Step =
  | {
      readonly do: "fail";
      readonly from: number;
      readonly count: number;
      readonly fault: number;
      readonly proxy: number;
      readonly late: boolean;
    }
  | { readonly do: "heal" | "stale" | "blind"; readonly from: number; readonly count: number }
  | { readonly do: "cause"; readonly proxy: number }
  | { readonly do: "no-cause" | "acknowledge" | "release" | "close" | "silence" }
  | { readonly do: "wait"; readonly seconds: number };

const stretch = { from: fc.nat(23), count: fc.integer({ min: 1, max: 8 }) };
const step: fc.Arbitrary<Step> = fc.oneof(
  {
    weight: 4,
    arbitrary: fc.record({
      do: fc.constant("fail" as const),
      ...stretch,
      fault: fc.nat(faults.length - 1),
      proxy: fc.nat(proxies.length - 1),
      late: fc.boolean(),
    }),
  },
  {
    weight: 3,
    arbitrary: fc.record({ do: fc.constantFrom("heal" as const, "stale" as const, "blind" as const), ...stretch }),
  },
  { weight: 2, arbitrary: fc.record({ do: fc.constant("cause" as const), proxy: fc.nat(1) }) },
  {
    weight: 2,
    arbitrary: fc.record({
      do: fc.constantFrom(
        "no-cause" as const,
        "acknowledge" as const,
        "release" as const,
        "close" as const,
        "silence" as const,
      ),
    }),
  },
  {
    weight: 5,
    arbitrary: fc.record({ do: fc.constant("wait" as const), seconds: fc.constantFrom(2, 10, 60, 200, 400, 4_000) }),
  },
);
const steps = fc.array(step, { minLength: 5, maxLength: 40 });

const configurations = [
  config(),
  config({
    routes: [
      { id: "monitoring", name: "Monitoring", match: "pattern:fleet-blind", receivers: ["team"] },
      { id: "manila", name: "Manila", match: "site:Manila", receivers: ["team", "pd"], continue: true },
      { id: "high", name: "High", match: "urgency:high", receivers: ["pager"], continue: true, repeatHours: 1 },
      { id: "all", name: "Everything", receivers: ["pd"], groupBy: "route", groupIntervalMinutes: 2 },
    ],
    inhibitions: [{ id: "px", name: "Shared proxy", source: "primary:fleet-shared-proxy" }],
  }),
  config({ receivers: [{ type: "ntfy", id: "pager", name: "Pager", capPerHour: 2 }] }),
];

const pool = (from: number, count: number) => Array.from({ length: count }, (_, index) => (from + index) % 24);

function apply(world: World, one: Step): void {
  const put = (index: number, change: Partial<Machine>) =>
    world.put(machine(`m${index}`, { site: sites[index % 3] ?? null, since: world.now, ...change }));
  const [first] = world.open;
  switch (one.do) {
    case "fail":
      for (const index of pool(one.from, one.count))
        put(index, {
          primary: faults[one.fault] ?? null,
          values: { proxy: proxies[one.proxy] ?? null },
          late: one.late,
        });
      break;
    case "heal":
      world.heal(...pool(one.from, one.count).map((index) => `m${index}`));
      break;
    case "stale":
      world.change(
        pool(one.from, one.count).map((index) => `m${index}`),
        { status: "stale" },
      );
      break;
    case "blind":
      for (const index of pool(one.from, one.count))
        put(index, { status: "stale", primary: null, patterns: ["fleet-blind"] });
      break;
    case "cause":
      world.causes = [cause({ id: `c${one.proxy}`, value: proxies[one.proxy] ?? "" })];
      break;
    case "no-cause":
      world.causes = [];
      break;
    case "acknowledge":
      if (first !== undefined) world.acknowledge(first);
      break;
    case "release":
      if (first !== undefined) world.edit(first, { acknowledged: null });
      break;
    case "close":
      if (first !== undefined)
        world.edit(first, { ended: { at: world.now, how: "closed", by: "M. Huber", note: "", into: null } });
      break;
    case "silence":
      world.silences = [
        {
          id: "s",
          match: "site:Manila",
          author: "L. Tan",
          comment: "",
          startsAt: world.now,
          endsAt: world.now + 10 * minute,
          scope: everyMachine,
        },
      ];
      break;
    case "wait":
      world.advance(one.seconds * second);
  }
}

/** A history, with the machines in this order at each turn. */
function play(list: readonly Step[], which: number, order?: World["order"]): World {
  const world = new World(configurations[which] as (typeof configurations)[number]);
  world.unexplainedAfter = 5 * minute;
  if (order) world.order = order;
  for (const one of list) {
    apply(world, one);
    // Several may fail at the same moment.
    if (one.do !== "fail") world.advance(2 * second);
  }
  return world;
}

const runs = { numRuns: 60 };
const which = fc.nat(configurations.length - 1);

it("the order in which machines are given changes nothing", () => {
  fc.assert(
    fc.property(steps, which, fc.infiniteStream(fc.nat()), (list, configuration, randoms) => {
      const shuffled: World["order"] = (machines) =>
        machines
          .map((one) => ({ one, at: randoms.next().value as number }))
          .sort((a, b) => a.at - b.at)
          .map(({ one }) => one);
      const [straight, mixed] = [play(list, configuration), play(list, configuration, shuffled)];
      expect(mixed.incidents).toEqual(straight.incidents);
      expect(mixed.notices).toEqual(straight.notices);
      expect(mixed.events).toEqual(straight.events);
      expect(new Map([...mixed.members.failing].sort())).toEqual(new Map([...straight.members.failing].sort()));
    }),
    runs,
  );
});

it("every notice has a reason on the timeline of each of its incidents, and a key of its own", () => {
  fc.assert(
    fc.property(steps, which, (list, configuration) => {
      const world = play(list, configuration);
      world.advance(hour);
      const keys = world.notices.map(({ key }) => key);
      expect(new Set(keys).size).toBe(keys.length);
      for (const { key, incidents, reason } of world.notices)
        for (const number of incidents)
          expect(
            world.events.filter((event) => event.incident === number && event.detail.notice === key),
          ).toMatchObject([{ kind: "told", reason }]);
      for (const { kind, reason, text } of world.events) {
        expect(text).not.toBe("");
        if (kind === "told" || kind === "held") expect(reason).not.toBeNull();
      }
    }),
    runs,
  );
});

it("nobody is paged twice for one opening: a second page says what is new", () => {
  fc.assert(
    fc.property(steps, which, (list, configuration) => {
      const world = play(list, configuration);
      world.advance(hour);
      const open = new Set<string>();
      for (const { kind, receiver, incidents, reason } of world.notices)
        for (const number of incidents) {
          const one = `${receiver} ${number}`;
          if (kind === "resolved") open.delete(one);
          if (kind !== "opened" && kind !== "digest") continue;
          if (open.has(one) && reason !== "over-the-cap") expect(["rose-to-high"]).toContain(reason);
          open.add(one);
        }
    }),
    runs,
  );
});

it("a machine is in one incident of a kind at most, and in none that is over", () => {
  fc.assert(
    fc.property(steps, which, (list, configuration) => {
      const world = play(list, configuration);
      for (const members of [world.members.failing, world.members.silent])
        for (const [id, number] of members) {
          const { ended } = world.incident(number);
          expect([id, number, ended?.how ?? "closed"]).toEqual([id, number, "closed"]);
        }
      for (const incident of world.incidents)
        if (incident.ended === null && incident.kind === "failing")
          expect(world.membersOf(incident.number)).toHaveLength(incident.failing + incident.silent);
    }),
    runs,
  );
});

it("what fails is told, or the timeline says why it is not; what is over is told to whoever knew of it", () => {
  fc.assert(
    fc.property(steps, which, (list, configuration) => {
      const world = play(list, configuration);
      world.silences = [];
      world.advance(20 * minute);
      for (const { number, ended, failing } of world.incidents) {
        if (ended !== null || failing === 0) continue;
        const said = world.events.some(
          ({ incident, kind }) => incident === number && (kind === "told" || kind === "held"),
        );
        expect([number, said]).toEqual([number, true]);
      }
      world.heal();
      world.advance(30 * hour);
      expect(world.open).toEqual([]);
      // Whoever holds an alert open was told of its end under the same name.
      const held = new Set<string>();
      for (const { receiver, thread, kind } of world.notices)
        if (receiver === "pd")
          if (kind === "resolved") held.delete(thread);
          else held.add(thread);
      expect([...held]).toEqual([]);
    }),
    runs,
  );
});
