import { describe, expect, it } from "vitest";
import { alertFilterProblem } from "../src/alert-filter.ts";
import { alertingConfigSchema, defaultAlerting, parseAlerting } from "../src/alerting.ts";

const whole = {
  receivers: [
    { type: "ntfy", id: "anna-phone", name: "Anna's phone" },
    { type: "slack", id: "proxy-channel", name: "Proxy team" },
  ],
  people: [{ id: "anna", name: "Anna", receivers: ["anna-phone"] }],
  schedules: [
    {
      id: "ops",
      name: "Operations",
      zone: "Europe/Berlin",
      layers: [{ people: ["anna"], start: "2026-01-05T09:00", turn: { every: 1, unit: "week" } }],
      overrides: [{ from: "2026-12-24T12:00", to: "2026-12-26T12:00", person: "anna" }],
    },
  ],
  escalations: [
    {
      id: "wake",
      name: "Wake somebody",
      steps: [{ targets: [{ schedule: "ops" }, { receiver: "proxy-channel" }], minutes: 20 }],
    },
  ],
  routes: [
    {
      id: "proxy",
      name: "Proxies",
      match: "pattern:proxy-*,fleet-shared-proxy",
      receivers: ["proxy-channel"],
      continue: true,
    },
    { id: "all", name: "Everything", escalation: "wake" },
  ],
  maintenance: [
    {
      id: "berlin-sunday",
      name: "Berlin-Sunday",
      match: "site:Berlin",
      zone: "Europe/Berlin",
      when: { kind: "weekly", days: ["sun"], at: "02:00", minutes: 240 },
    },
  ],
  inhibitions: [{ id: "down", name: "Down", source: "primary:fleet-ews-down" }],
  importantTags: ["vip"],
  settings: { openMachines: 3, fallback: ["proxy-channel"] },
};

/** The whole configuration with one part replaced. */
const withPart = (change: Record<string, unknown>) => parseAlerting({ ...structuredClone(whole), ...change });

describe("the alerting configuration", () => {
  it("takes a whole one, and fills in what was left out", () => {
    const { config, problems } = parseAlerting(whole);
    expect(problems).toEqual([]);
    expect(config?.routes[1]).toMatchObject({ groupBy: "cause", groupWaitSeconds: 8, sendResolved: true, match: "" });
    expect(config?.settings).toMatchObject({ openMachines: 3, highMachines: 5, resolveHoldMinutes: 5 });
  });

  it("is the same when it is read again after it was written", () => {
    const { config } = parseAlerting(whole);
    expect(parseAlerting(JSON.parse(JSON.stringify(config))).config).toEqual(config);
  });

  it("takes an empty one", () => {
    expect(parseAlerting({}).problems).toEqual([]);
  });

  it("has a default that tells nobody and is right", () => {
    expect(alertingConfigSchema.parse(defaultAlerting)).toEqual(defaultAlerting);
    expect(defaultAlerting.receivers).toEqual([]);
    expect(defaultAlerting.routes.flatMap(({ receivers, escalation }) => [...receivers, escalation])).toEqual([
      null,
      null,
    ]);
  });

  it.each<[string, Record<string, unknown>, string, RegExp]>([
    [
      "a receiver that is not there",
      { routes: [{ id: "a", name: "A", receivers: ["nobody"] }] },
      "routes.0.receivers.0",
      /"nobody" names none of receivers; there are anna-phone, proxy-channel/,
    ],
    [
      "a person that is not there",
      {
        schedules: [
          {
            ...whole.schedules[0],
            layers: [{ people: ["bert"], start: "2026-01-05T09:00", turn: { every: 1, unit: "day" } }],
          },
        ],
      },
      "schedules.0.layers.0.people.0",
      /"bert" names none of people; there are anna/,
    ],
    [
      "an escalation that is not there",
      { routes: [{ id: "a", name: "A", escalation: "x" }] },
      "routes.0.escalation",
      /"x" names none of escalations/,
    ],
    [
      "a fallback that is not there",
      { settings: { fallback: ["x"] } },
      "settings.fallback.0",
      /"x" names none of receivers/,
    ],
    [
      "an id that is there twice",
      { people: [whole.people[0], whole.people[0]] },
      "people.1.id",
      /"anna" is there twice/,
    ],
    [
      "an id with a space",
      { people: [{ id: "an na", name: "Anna", receivers: ["anna-phone"] }] },
      "people.0.id",
      /"an na" is no id: .* use e\.g\. ops-pager/,
    ],
    [
      "a rotation without people",
      {
        schedules: [
          {
            ...whole.schedules[0],
            layers: [{ people: [], start: "2026-01-05T09:00", turn: { every: 1, unit: "day" } }],
          },
        ],
      },
      "schedules.0.layers.0.people",
      /./,
    ],
    [
      "a zone that is none",
      { schedules: [{ ...whole.schedules[0], zone: "Berlin" }] },
      "schedules.0.zone",
      /"Berlin" is no time zone .* Europe\/Berlin/,
    ],
    [
      "an offset instead of a zone",
      { schedules: [{ ...whole.schedules[0], zone: "+01:00" }] },
      "schedules.0.zone",
      /is no time zone/,
    ],
    [
      "a day that is none",
      {
        schedules: [
          { ...whole.schedules[0], overrides: [{ from: "2026-02-30T09:00", to: "2026-03-01T09:00", person: "anna" }] },
        ],
      },
      "schedules.0.overrides.0.from",
      /"2026-02-30T09:00" is no date with a time/,
    ],
    [
      "an override that ends before it begins",
      {
        schedules: [
          { ...whole.schedules[0], overrides: [{ from: "2026-03-02T09:00", to: "2026-03-01T09:00", person: "anna" }] },
        ],
      },
      "schedules.0.overrides.0.to",
      /is not after/,
    ],
    [
      "a filter that cannot be read",
      { routes: [{ id: "a", name: "A", match: "sitte:Berlin" }] },
      "routes.0.match",
      /no such field/,
    ],
    [
      "a filter that changes with the clock",
      { maintenance: [{ ...whole.maintenance[0], match: "since>2h" }] },
      "maintenance.0.match",
      /"since" cannot be used here/,
    ],
    [
      "a window that is over before it begins",
      {
        maintenance: [
          { ...whole.maintenance[0], when: { kind: "once", from: "2026-03-02T09:00", to: "2026-03-02T09:00" } },
        ],
      },
      "maintenance.0.when.to",
      /is not after/,
    ],
    [
      "a fifth Sunday",
      {
        maintenance: [
          { ...whole.maintenance[0], when: { kind: "monthly", nth: 5, day: "sun", at: "02:00", minutes: 60 } },
        ],
      },
      "maintenance.0.when.nth",
      /./,
    ],
    ["a misspelt key", { settings: { openMachine: 3 } }, "settings", /openMachine/],
    [
      "a heartbeat's address, which is a secret",
      { settings: { heartbeat: { url: "https://hc.example.org/1" } } },
      "settings.heartbeat",
      /url/,
    ],
  ])("refuses %s, and says where and why", (_, change, path, message) => {
    const { config, problems } = withPart(change);
    expect(config).toBeNull();
    expect(problems).toContainEqual({ path, message: expect.stringMatching(message) });
  });

  it("never throws, whatever it is given", () => {
    for (const value of [null, 1, "x", [], { routes: 1 }, { receivers: [{}] }, { people: { id: 1 } }])
      expect(parseAlerting(value).problems.length).toBeGreaterThan(0);
  });
});

describe("filters of alerting", () => {
  it("know urgency where an incident is asked, and not where a machine is", () => {
    expect(alertFilterProblem("urgency:high site:Berlin", "route")).toBeNull();
    expect(alertFilterProblem("urgency:high", "machine")).toMatch(/"urgency" cannot be used here; fields are .*site/);
    expect(alertFilterProblem("tag:vip", "incident")).toMatch(/"tag" cannot be used here/);
  });
});
