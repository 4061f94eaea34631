import { everyMachine } from "@lynceus/protocol/access";
import { noticeSchema } from "@lynceus/protocol/notice";
import { describe, expect, it } from "vitest";
import { heldReasons, lifeReasons, toldReasons } from "../src/reasons.ts";
import type { Silence } from "../src/types.ts";
import { cause, config, finding, hour, machine, machines, minute, second, start, World } from "./support/world.ts";

const silence = (change: Partial<Silence> = {}): Silence => ({
  id: "s1",
  match: "site:Singapore",
  author: "L. Tan",
  comment: "px1 is replaced",
  startsAt: start,
  endsAt: start + hour,
  scope: everyMachine,
  ...change,
});
const ids = (count: number) => Array.from({ length: count }, (_, index) => `m${index}`);

/** On call by turns, then the team. */
const onCall = (change: Record<string, unknown> = {}) =>
  config({
    receivers: [
      { type: "ntfy", id: "anna-phone", name: "Anna's phone" },
      { type: "ntfy", id: "bert-phone", name: "Bert's phone" },
      { type: "slack", id: "team", name: "Proxy team" },
    ],
    people: [
      { id: "anna", name: "Anna", receivers: ["anna-phone"] },
      { id: "bert", name: "Bert", receivers: ["bert-phone"] },
    ],
    schedules: [
      {
        id: "ops",
        name: "Operations",
        zone: "Europe/Berlin",
        layers: [{ people: ["anna"], start: "2026-01-05T09:00", turn: { every: 1, unit: "week" } }],
      },
    ],
    escalations: [
      {
        id: "wake",
        name: "Wake",
        steps: [
          { targets: [{ schedule: "ops" }], minutes: 20 },
          { targets: [{ person: "bert" }, { receiver: "team" }], minutes: 30 },
        ],
        repeat: 1,
      },
    ],
    routes: [{ id: "all", name: "Everything", escalation: "wake" }],
    ...change,
  });

describe("the first notice", () => {
  it("is sent after the group wait, once, and its message is right", () => {
    const world = new World(config());
    world.put(...machines(347));
    world.causes = [cause()];
    world.turn();
    world.advance(6 * second);
    expect(world.told).toEqual([]);
    world.advance(2 * second);
    expect(world.told).toEqual(["opened pager 1"]);
    world.advance(hour);
    expect(world.told).toEqual(["opened pager 1"]);
    const [first] = world.notices;
    expect(noticeSchema.safeParse(first?.notice).error).toBeUndefined();
    expect(first).toMatchObject({
      key: "t-1-1",
      thread: "lynceus-t-1",
      reason: "opened",
      urgency: "high",
      notice: {
        headline: "347 machines: px1 asks for its own login",
        reason: "it opened",
        incident: {
          number: 1,
          machines: 347,
          sites: [{ site: "Singapore", machines: 347, of: 1642 }],
          sentence:
            "Proxy px1:8080 explains 347 of the 351 failing machines. 0 of 9,812 healthy share it. 4 do not fit.",
          url: "https://lynceus.example.org/incidents/1",
        },
      },
    });
  });

  it("goes to nobody where no route matches, and the timeline says so once", () => {
    const world = new World(
      config({ routes: [{ id: "manila", name: "Manila", match: "site:Manila", receivers: ["pager"] }] }),
    );
    world.put(...machines(5));
    world.advance(hour);
    expect(world.told).toEqual([]);
    expect(world.reasons("held")).toEqual(["no-route"]);
  });

  it("goes to nobody while a route names nobody, and is sent when somebody is added", () => {
    const world = new World(config({ routes: [{ id: "all", name: "Everything" }] }));
    world.put(...machines(5));
    world.advance(hour);
    expect(world.reasons("held")).toEqual(["no-receiver"]);
    world.config = config();
    world.advance(2 * second);
    expect(world.told).toEqual(["opened pager 1"]);
  });

  it("is not sent of simulated machines, unless a route speaks of them", () => {
    const world = new World(config());
    world.put(...machines(5, { simulated: true }));
    world.advance(minute);
    expect(world.told).toEqual([]);
    world.config = config({ routes: [{ id: "sim", name: "Simulated", match: "simulated:yes", receivers: ["team"] }] });
    world.advance(minute);
    expect(world.told).toEqual(["opened team 1"]);
    expect(world.notices[0]?.notice.headline).toBe("Simulated: 5 machines: px1 asks for its own login");
  });

  it("is of late data sent only when a fresh cycle confirmed it", () => {
    const world = new World(config());
    world.put(...machines(5, { late: true }));
    world.advance(10 * minute);
    expect(world.incident(1)).toMatchObject({ openedBecause: "late", urgency: "low" });
    expect([world.told, world.reasons("held")]).toEqual([[], ["late"]]);
    world.change(["m0"], { late: false });
    world.advance(20 * second);
    expect(world.notices.map(({ reason }) => reason)).toEqual(["confirmed"]);
  });
});

describe("routes", () => {
  const routes = (...list: Record<string, unknown>[]) =>
    new World(config({ routes: list.map((route, index) => ({ id: `r${index}`, name: `R${index}`, ...route })) }));

  it("are asked in order, and the first that matches decides", () => {
    const world = routes(
      { match: "site:Manila", receivers: ["team"] },
      { match: "severity:prompting", receivers: ["pager"] },
      { receivers: ["pd"] },
    );
    world.put(...machines(3));
    world.advance(minute);
    expect(world.told).toEqual(["opened pager 1"]);
  });

  it("go on to the next where they say so", () => {
    const world = routes({ match: "pattern:proxy-*", receivers: ["team"], continue: true }, { receivers: ["pd"] });
    world.put(...machines(3));
    world.advance(minute);
    expect(world.told).toEqual(["opened team 1", "opened pd 1"]);
  });

  it("tell a receiver once that two of them name", () => {
    const world = routes({ receivers: ["pager", "team"], continue: true }, { receivers: ["pager"] });
    world.put(...machines(3));
    world.advance(minute);
    world.heal();
    world.advance(10 * minute);
    expect(world.told).toEqual(["opened pager 1", "opened team 1", "resolved pager 1", "resolved team 1"]);
  });

  it("match where one machine fits all of it, and not two machines half each", () => {
    const world = routes({ match: "site:Manila tag:vip", receivers: ["team"] });
    world.put(machine("a", { site: "Manila" }), machine("b", { tags: ["vip"] }));
    world.advance(minute);
    expect(world.told).toEqual([]);
    world.put(machine("c", { site: "Manila", tags: ["vip"] }));
    world.advance(minute);
    expect(world.told).toEqual(["opened team 1"]);
  });

  it("by urgency tell when it has risen", () => {
    const world = routes({ match: "urgency:high", receivers: ["pager"], continue: true }, { receivers: ["team"] });
    world.put(...machines(2));
    world.advance(minute);
    expect(world.told).toEqual(["opened team 1"]);
    world.put(...machines(9));
    world.advance(minute);
    expect(world.told.slice(1).sort()).toEqual(["opened pager 1", "opened team 1"]);
    expect(world.notices.map(({ reason }) => reason)).toEqual(["opened", "rose-to-high", "opened"]);
  });
});

describe("grouping", () => {
  const grouped = (groupBy: string) =>
    new World(config({ routes: [{ id: "all", name: "Everything", receivers: ["team"], groupBy }] }));
  const other = finding("tls-interception", "Zscaler decrypts mail");

  it("by route tells of several incidents in one message, and of what comes later after the interval", () => {
    const world = grouped("route");
    world.put(...machines(3), ...machines(3, { primary: other, site: "Manila" }, "b"));
    world.turn();
    world.advance(minute);
    expect(world.told).toEqual(["digest team 1+2"]);
    world.put(...machines(3, { primary: finding("clock-skew", "clock") }, "c"));
    world.advance(2 * minute);
    expect(world.told).toHaveLength(1);
    world.advance(3 * minute);
    expect(world.told.slice(1)).toEqual(["opened team 3"]);
  });

  it("by site and by pattern keeps those apart that differ in it", () => {
    for (const [by, expected] of [
      ["site", ["opened team 1", "opened team 2"]],
      ["pattern", ["opened team 1", "opened team 2"]],
    ] as const) {
      const world = grouped(by);
      world.put(...machines(3), ...machines(3, { primary: other, site: "Manila" }, "b"));
      world.advance(minute);
      expect(world.told).toEqual(expected);
    }
  });

  it("gives a receiver that keeps alerts open one for each incident", () => {
    const world = new World(
      config({ routes: [{ id: "all", name: "Everything", receivers: ["pd"], groupBy: "route" }] }),
    );
    world.put(...machines(3), ...machines(3, { primary: other }, "b"));
    world.advance(minute);
    expect(world.told).toEqual(["opened pd 1", "opened pd 2"]);
    expect(world.notices.map(({ thread }) => thread)).toEqual(["lynceus-t-1", "lynceus-t-2"]);
  });
});

describe("telling again", () => {
  it("tells of growth when it has four times the machines, or reached another site, and not within the interval", () => {
    const world = new World(config());
    world.put(...machines(10));
    world.advance(minute);
    world.put(...machines(39));
    world.advance(10 * minute);
    expect(world.told).toEqual(["opened pager 1"]);
    world.put(...machines(40));
    world.advance(minute);
    expect(world.told.slice(1)).toEqual(["grew pager 1"]);
    world.put(...machines(3, { site: "Manila" }, "x"));
    world.advance(4 * minute);
    expect(world.told).toHaveLength(2);
    world.advance(2 * minute);
    expect(world.notices.at(-1)).toMatchObject({
      kind: "grew",
      reason: "new-site",
      notice: { reason: "it reached Manila" },
    });
  });

  it("reminds after the repeat interval as long as nobody acknowledges", () => {
    const world = new World(config());
    world.put(...machines(10));
    world.advance(9 * hour);
    expect(world.told).toEqual(["opened pager 1", "reminder pager 1", "reminder pager 1"]);
    expect(world.notices[1]?.notice.reason).toBe("unacknowledged for 4 h");
  });

  it("does not remind while no member fails at the moment", () => {
    const world = new World(config());
    world.put(...machines(10));
    world.advance(minute);
    world.change(ids(10), { status: "signed-off" });
    world.advance(9 * hour);
    expect(world.told).toEqual(["opened pager 1"]);
  });

  it("tells of the end those who know of it, and only where the route wishes it", () => {
    const world = new World(
      config({ routes: [{ id: "all", name: "Everything", receivers: ["team", "pd"], sendResolved: false }] }),
    );
    world.put(...machines(10));
    world.advance(minute);
    world.heal();
    world.advance(10 * minute);
    // An alert that PagerDuty holds open is closed in any case.
    expect(world.told).toEqual(["opened team 1", "opened pd 1", "resolved pd 1"]);
  });

  it("tells of what came back soon as that", () => {
    const world = new World(config());
    world.put(...machines(10));
    world.advance(minute);
    world.heal();
    world.advance(10 * minute);
    world.put(...machines(10));
    world.advance(minute);
    expect(world.told).toEqual(["opened pager 1", "resolved pager 1", "opened pager 1"]);
    expect(world.notices.at(-1)).toMatchObject({ reason: "reopened", key: "t-1-3", thread: "lynceus-t-1" });
  });
});

describe("acknowledging", () => {
  it("stops the escalation, and tells the others but not who did it", () => {
    const world = new World(onCall());
    world.put(...machines(10));
    world.advance(25 * minute);
    expect(world.told).toEqual(["opened anna-phone 1", "escalated bert-phone 1", "escalated team 1"]);
    world.acknowledge(1, { by: "Bert", person: "bert" });
    world.advance(50 * minute);
    expect(world.told.slice(3)).toEqual(["acknowledged anna-phone 1", "acknowledged team 1"]);
  });

  it("that comes from a receiver is not told back to it", () => {
    const world = new World(config({ routes: [{ id: "all", name: "Everything", receivers: ["pd", "team"] }] }));
    world.put(...machines(10));
    world.advance(minute);
    world.acknowledge(1, { via: "pd" });
    world.advance(minute);
    expect(world.told.slice(2)).toEqual(["acknowledged team 1"]);
  });

  it("holds for an hour; then it is said that it still fails, and again after the repeat interval", () => {
    const world = new World(config());
    world.put(...machines(10));
    world.advance(minute);
    world.acknowledge(1);
    world.advance(58 * minute);
    expect(world.told).toEqual(["opened pager 1", "acknowledged pager 1"]);
    world.advance(4 * minute);
    expect(world.notices.at(-1)).toMatchObject({ kind: "reminder", reason: "still-failing" });
    world.advance(3 * hour);
    expect(world.told).toHaveLength(3);
    world.advance(hour);
    expect(world.told).toHaveLength(4);
  });

  it("taken back begins the escalation anew", () => {
    const world = new World(onCall());
    world.put(...machines(10));
    world.advance(minute);
    world.acknowledge(1, { by: "Anna", person: "anna" });
    world.advance(30 * minute);
    world.edit(1, { acknowledged: null });
    world.advance(25 * minute);
    expect(world.told).toEqual([
      "opened anna-phone 1",
      "reminder anna-phone 1",
      "escalated bert-phone 1",
      "escalated team 1",
    ]);
  });

  it("before anybody was told means that nobody is", () => {
    const world = new World(config());
    world.put(...machines(10));
    world.turn();
    world.acknowledge(1);
    world.advance(30 * minute);
    expect([world.told, world.reasons("held")]).toEqual([[], ["acknowledged"]]);
  });
});

describe("escalation", () => {
  it("goes through all steps as often as it says, and then says that there are no more", () => {
    const world = new World(onCall());
    world.put(...machines(10));
    world.advance(101 * minute);
    expect(world.told).toEqual([
      "opened anna-phone 1",
      "escalated bert-phone 1",
      "escalated team 1",
      "escalated anna-phone 1",
      "escalated bert-phone 1",
      "escalated team 1",
    ]);
    expect(world.notices.map(({ at }) => Math.floor((at - start) / minute))).toEqual([0, 20, 20, 50, 70, 70]);
    expect(world.reasons("held")).toEqual(["no-more-steps"]);
    expect(world.notices[1]).toMatchObject({ person: "bert", notice: { reason: "unacknowledged for 20 min" } });
  });

  it("passes over a step in which nobody is on call, and says so", () => {
    const world = new World(
      onCall({
        schedules: [
          {
            id: "ops",
            name: "Operations",
            zone: "Europe/Berlin",
            layers: [{ people: ["anna"], start: "2027-01-05T09:00", turn: { every: 1, unit: "week" } }],
          },
        ],
      }),
    );
    world.put(...machines(10));
    world.advance(minute);
    expect(world.told).toEqual(["opened bert-phone 1", "opened team 1"]);
    expect(world.reasons("held")).toEqual(["nobody-on-call"]);
  });

  it("tells the fallback where nobody of any step is on call: a page is not lost in a gap", () => {
    const world = new World(
      onCall({
        schedules: [
          {
            id: "ops",
            name: "Operations",
            zone: "Europe/Berlin",
            layers: [{ people: ["anna"], start: "2027-01-05T09:00", turn: { every: 1, unit: "week" } }],
          },
        ],
        escalations: [{ id: "wake", name: "Wake", steps: [{ targets: [{ schedule: "ops" }], minutes: 20 }] }],
        settings: { fallback: ["team"] },
      }),
    );
    world.put(...machines(10));
    world.advance(minute);
    expect(world.notices).toMatchObject([{ receiver: "team", reason: "nobody-on-call" }]);
  });

  it("names whose link it is, and who is on call", () => {
    const world = new World(onCall());
    world.put(...machines(10));
    world.advance(minute);
    expect(world.notices[0]).toMatchObject({ person: "anna" });
    expect(world.events.find(({ kind }) => kind === "told")?.text).toBe(
      "Page to Anna (on call, Operations): it opened",
    );
  });
});

describe("silences", () => {
  it("keep quiet of the machines they match, and say whose they are", () => {
    const world = new World(config());
    world.silences = [silence()];
    world.put(...machines(10));
    world.advance(10 * minute);
    expect(world.told).toEqual([]);
    expect(world.events.find(({ reason }) => reason === "silenced")?.text).toBe(
      "Not told: silenced by L. Tan: px1 is replaced",
    );
  });

  it("leave out their machines only: those of another site are told of, with their own urgency", () => {
    const world = new World(config());
    world.silences = [silence()];
    world.put(...machines(10), ...machines(2, { site: "Manila" }, "x"));
    world.advance(minute);
    expect(world.notices).toMatchObject([{ kind: "opened", urgency: "low" }]);
  });

  it("end by themselves, and what still fails is told then", () => {
    const world = new World(config());
    world.silences = [silence()];
    world.put(...machines(10));
    world.advance(hour + minute);
    expect(world.notices.map(({ reason }) => reason)).toEqual(["silence-over"]);
  });

  it("of who sees a part of the fleet cover nothing beyond it", () => {
    const world = new World(config());
    world.silences = [silence({ match: "", scope: { sites: ["Manila"], tags: null } })];
    world.put(...machines(10));
    world.advance(minute);
    expect(world.told).toEqual(["opened pager 1"]);
  });

  it("of one incident are about that one", () => {
    const world = new World(config());
    world.silences = [silence({ match: "incident:1" })];
    world.put(...machines(10), ...machines(3, { primary: finding("tls-interception", "Zscaler decrypts mail") }, "b"));
    world.advance(minute);
    expect(world.told).toEqual(["opened pager 2"]);
  });

  it("let the end of what was told before pass: nobody is kept waiting", () => {
    const world = new World(config());
    world.put(...machines(10));
    world.advance(minute);
    world.silences = [silence()];
    world.advance(minute);
    world.heal();
    world.advance(6 * minute);
    expect(world.told).toEqual(["opened pager 1", "resolved pager 1"]);
  });
});

describe("maintenance", () => {
  // 02:00 to 04:00 in Berlin is 01:00 to 03:00 UTC; the world begins at 01:41.
  const windows = [
    {
      id: "berlin-sunday",
      name: "Berlin-Sunday",
      match: "site:Singapore",
      zone: "Europe/Berlin",
      when: { kind: "once", from: "2026-11-24T02:00", to: "2026-11-24T04:00" },
    },
  ];

  it("swallows both edges of what comes and goes within it", () => {
    const world = new World(config({ maintenance: windows }));
    world.put(...machines(10));
    world.advance(10 * minute);
    world.heal();
    world.advance(3 * hour);
    expect(world.told).toEqual([]);
    expect(world.events.find(({ reason }) => reason === "maintenance")?.text).toBe(
      "Not told: maintenance window Berlin-Sunday",
    );
  });

  it("tells at its end of what still fails, with its name", () => {
    const world = new World(config({ maintenance: windows }));
    world.put(...machines(10));
    world.advance(79 * minute);
    expect(world.told).toEqual([]);
    world.advance(minute);
    expect(world.notices).toMatchObject([
      { reason: "maintenance-over", notice: { reason: "still failing after maintenance Berlin-Sunday" } },
    ]);
  });

  it("swallows the end of what was told before it, until it is over", () => {
    const world = new World(config());
    world.put(...machines(10));
    world.advance(minute);
    expect(world.told).toEqual(["opened pager 1"]);
    world.config = config({ maintenance: windows });
    world.advance(minute);
    world.heal();
    world.advance(60 * minute);
    expect(world.incident(1).ended?.how).toBe("resolved");
    expect(world.told).toHaveLength(1);
    world.advance(30 * minute);
    expect(world.told).toEqual(["opened pager 1", "resolved pager 1"]);
  });

  it("says nothing at its end of what was told before and still fails: nothing changed", () => {
    const world = new World(config());
    world.put(...machines(10));
    world.advance(minute);
    world.config = config({ maintenance: windows });
    world.advance(2 * hour);
    expect(world.told).toEqual(["opened pager 1"]);
  });
});

describe("inhibition", () => {
  const rules = [
    { id: "down", name: "Exchange is down", source: "primary:fleet-ews-down" },
    { id: "site", name: "Site outage", source: "primary:fleet-site-outage", same: ["location", "site"] },
  ];
  const down = machines(10, { primary: finding("fleet-ews-down", "Exchange at mail answers nobody") }, "d");

  it("tells of the cause alone, and names it on the others", () => {
    const world = new World(config({ inhibitions: rules }));
    world.put(...machines(10), ...down);
    world.turn();
    world.advance(minute);
    expect(world.told).toHaveLength(1);
    const [told] = world.notices;
    expect(told?.notice.incident?.title).toBe("Exchange at mail answers nobody");
    expect(world.events.find(({ reason }) => reason === "inhibited")?.text).toMatch(
      /incident \d explains it \(Exchange is down\)/,
    );
  });

  it("tells of the others when the cause is over and they still fail", () => {
    const world = new World(config({ inhibitions: rules }));
    world.put(...machines(10), ...down);
    world.advance(minute);
    world.heal(...down.map(({ id }) => id));
    world.advance(minute);
    expect(world.notices.map(({ reason }) => reason)).toEqual(["opened", "not-inhibited"]);
  });

  it("by site spares only what is at the site as a whole, and not another location", () => {
    const outage = machines(
      10,
      { site: "Manila", primary: finding("fleet-site-outage", "Manila cannot reach Exchange") },
      "o",
    );
    const world = new World(config({ inhibitions: rules }));
    const tls = finding("tls-interception", "Zscaler decrypts mail");
    world.put(
      ...outage,
      ...machines(3, { site: "Manila" }, "a"),
      ...machines(3, { site: "Manila", primary: tls }, "b"),
      machine("c", { primary: tls }),
      ...machines(3, { site: "Manila", location: "vpn" }, "v"),
    );
    world.advance(minute);
    const titles = world.notices.map(({ notice }) => notice.incident?.title);
    expect(titles).toContain("Manila cannot reach Exchange");
    expect(titles).toContain("Zscaler decrypts mail");
    expect(world.notices).toHaveLength(3);
  });
});

describe("quiet hours", () => {
  const quiet = config({
    routes: [
      {
        id: "all",
        name: "Everything",
        receivers: ["pager"],
        quietHours: { zone: "Europe/Berlin", from: "22:00", to: "07:00" },
      },
    ],
  });

  it("keep low urgency until the morning, and say until when", () => {
    const world = new World(quiet);
    world.put(...machines(3));
    world.advance(hour);
    expect(world.events.find(({ reason }) => reason === "quiet-hours")?.text).toBe(
      "Not told: low urgency waits until 07:00",
    );
    world.advance(4 * hour);
    // 01:41 + 4 h 19 min = 06:00 UTC.
    expect(world.notices.map(({ reason }) => reason)).toEqual(["quiet-hours-over"]);
    expect(new Date(world.notices[0]?.at ?? 0).toISOString()).toContain("T06:00");
  });

  it("keep nothing back that is urgent, also where it becomes so", () => {
    const world = new World(quiet);
    world.put(...machines(3));
    world.advance(10 * minute);
    world.put(...machines(8));
    world.advance(minute);
    expect(world.told).toEqual(["opened pager 1"]);
    expect(world.notices[0]?.urgency).toBe("high");
  });
});

describe("a receiver's cap", () => {
  const capped = () =>
    new World(
      config({
        receivers: [{ type: "ntfy", id: "pager", name: "Pager", capPerHour: 3 }],
      }),
    );
  const faults = (from: number, to: number) =>
    Array.from({ length: to - from }, (_, index) =>
      machines(
        6,
        { primary: finding("proxy-blocks-exchange", `px${from + index} refuses mail`), values: {} },
        `f${from + index}-`,
      ),
    ).flat();

  it("makes one digest of all that is over it, and loses none", () => {
    const world = capped();
    world.put(...faults(1, 21));
    world.turn();
    world.advance(14 * minute);
    expect(world.told.slice(0, 3)).toEqual(["opened pager 1", "opened pager 2", "opened pager 3"]);
    expect(world.told.slice(3)).toEqual([`digest pager ${Array.from({ length: 17 }, (_, i) => i + 4).join("+")}`]);
    expect(world.notices[3]?.notice.incidents).toHaveLength(17);
    expect(world.notices[3]?.notice.headline).toMatch(/^17 incidents, 102 machines: /);
    expect(new Set(world.notices.flatMap(({ incidents }) => incidents)).size).toBe(20);
  });

  it("sends the next digest only after a while", () => {
    const world = capped();
    world.put(...faults(1, 6));
    world.advance(minute);
    expect(world.told).toHaveLength(4);
    world.put(...faults(6, 9));
    world.advance(3 * minute);
    expect(world.told).toHaveLength(4);
    world.advance(2 * minute);
    expect(world.told.at(-1)).toBe("digest pager 6+7+8");
  });

  it("does not keep back the end of what it was told of", () => {
    const world = capped();
    world.put(...faults(1, 6));
    world.advance(minute);
    world.heal();
    world.advance(6 * minute);
    expect(world.told.slice(4)).toEqual([1, 2, 3, 4, 5].map((number) => `resolved pager ${number}`));
  });

  it("is of an hour: after it notices come one by one again", () => {
    const world = capped();
    world.put(...faults(1, 6));
    world.advance(62 * minute);
    world.put(...faults(6, 7));
    world.advance(minute);
    expect(world.told.at(-1)).toBe("opened pager 6");
  });
});

describe("merging and splitting", () => {
  const refused = finding("proxy-unreachable", "px1:8080 does not answer (timeout)");
  const broken = finding("proxied-path-broken", "px1:8080 does not carry Exchange (502)");
  const two = (receivers: string[]) => {
    const world = new World(config({ routes: [{ id: "all", name: "Everything", receivers }] }));
    world.put(...machines(10, { primary: refused }, "a"), ...machines(10, { primary: broken }, "b"));
    world.advance(minute);
    return world;
  };

  it("pages nobody again when two become one, and closes the alert that would stay open", () => {
    const world = two(["pd", "team"]);
    expect(world.told).toHaveLength(4);
    world.causes = [cause()];
    world.advance(3 * minute);
    expect(world.told.slice(4)).toEqual(["resolved pd 2"]);
    expect(world.notices[4]).toMatchObject({ thread: "lynceus-t-2", reason: "goes-on-elsewhere" });
    world.heal();
    world.advance(6 * minute);
    expect(world.told.slice(5)).toEqual(["resolved pd 1", "resolved team 1"]);
  });

  it("goes on under the name that a receiver knows, where it knows only the one that was merged", () => {
    const world = new World(
      config({
        routes: [
          { id: "broken", name: "Broken", match: "pattern:proxied-path-broken", receivers: ["pd"] },
          { id: "all", name: "Everything", receivers: ["team"] },
        ],
      }),
    );
    world.put(...machines(10, { primary: refused }, "a"));
    world.advance(minute);
    world.put(...machines(10, { primary: broken }, "b"));
    world.advance(minute);
    expect(world.told).toEqual(["opened team 1", "opened pd 2"]);
    world.causes = [cause()];
    world.advance(3 * minute);
    expect(world.told).toHaveLength(2);
    world.heal();
    world.advance(6 * minute);
    expect(world.notices.slice(2).map(({ receiver, thread, incident }) => [receiver, thread, incident])).toEqual([
      ["team", "lynceus-t-1", 1],
      ["pd", "lynceus-t-2", 1],
    ]);
  });

  it("tells of what split off as what it is", () => {
    const world = new World(config());
    world.causes = [cause()];
    world.put(
      ...machines(10, { primary: refused }, "a"),
      ...machines(6, { primary: finding("tls-interception", "Zscaler decrypts mail") }, "b"),
    );
    world.advance(minute);
    world.causes = [];
    world.advance(3 * minute);
    expect(world.notices.map(({ reason, incident }) => [reason, incident])).toEqual([
      ["opened", 1],
      ["split-off", 2],
    ]);
  });
});

describe("every reason", () => {
  it("has a text that can stand on a timeline", () => {
    for (const [reason, text] of Object.entries({ ...lifeReasons, ...toldReasons, ...heldReasons })) {
      expect(reason).toMatch(/^[a-z]+(-[a-z]+)*$/);
      expect(text.length).toBeGreaterThan(8);
      expect(text).not.toMatch(/[.!]$/);
    }
  });
});
