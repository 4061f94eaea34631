import { everyMachine } from "@lynceus/protocol/access";
import { describe, expect, it } from "vitest";
import { type Supposed, simulate } from "../src/simulate.ts";
import { siteKey } from "../src/spread.ts";
import type { Silence } from "../src/types.ts";
import { config, hour, minute, start } from "./support/world.ts";

const supposed: Supposed = {
  at: start,
  pattern: "proxy-unreachable",
  severity: "prompting",
  cause: "px1:8080 does not answer",
  machines: 12,
  site: "Singapore",
  tags: [],
  location: "inside",
  simulated: false,
  target: "ews",
  route: "px1:8080",
  minutes: 60,
};

const world = (change: Record<string, unknown> = {}, silences: Silence[] = []) => ({
  config: config(change),
  silences,
  sites: new Map([[siteKey({ simulated: false, location: "inside", site: "Singapore" }), 40]]),
  compose: { dashboardUrl: "https://lynceus.example.org", installation: "t", textsOf: () => null },
});

const escalating = {
  people: [{ id: "anna", name: "Anna", receivers: ["pager"] }],
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
        { targets: [{ schedule: "ops" }], minutes: 15 },
        { targets: [{ receiver: "team" }], minutes: 15 },
      ],
      repeat: 0,
    },
  ],
  routes: [{ id: "all", name: "Everything", match: "site:Singapore", escalation: "wake" }],
};

describe("who would be paged", () => {
  it("is told step by step, with the time of each", async () => {
    const story = await simulate(supposed, world(escalating));
    expect(story.urgency).toBe("high");
    expect(story.notices.map(({ receiver, kind, at }) => [receiver, kind, Math.round((at - start) / 1000)])).toEqual([
      ["pager", "opened", 8],
      ["team", "escalated", 960],
    ]);
    expect(story.events.at(-1)?.reason).toBe("no-more-steps");
  });

  it("is nobody where no route matches, and the story says why", async () => {
    const story = await simulate({ ...supposed, site: "Manila" }, world(escalating));
    expect(story.notices).toEqual([]);
    expect(story.events.map(({ reason }) => reason)).toContain("no-route");
  });

  it("is nobody of what is at risk alone", async () => {
    const story = await simulate({ ...supposed, pattern: "proxy-baseline-drift", severity: "at-risk" }, world());
    expect(story.notices).toEqual([]);
    expect(story.events).toMatchObject([{ reason: "at-risk" }]);
  });

  it("is nobody of one machine alone, and somebody where it has an important tag", async () => {
    expect((await simulate({ ...supposed, machines: 1 }, world())).events).toEqual([]);
    const vip = await simulate({ ...supposed, machines: 1, tags: ["vip"] }, world({ importantTags: ["vip"] }));
    expect(vip.notices).toHaveLength(1);
  });

  it("takes silences and windows of that time into account", async () => {
    const silence = {
      id: "s",
      match: "route:px1",
      author: "L. Tan",
      comment: "",
      startsAt: start,
      endsAt: start + 30 * minute,
      scope: everyMachine,
    };
    const story = await simulate(supposed, world({}, [silence]));
    expect(story.notices.map(({ at, reason }) => [reason, at - start > 30 * minute])).toEqual([["silence-over", true]]);
  });

  it("works of a silent site too, and of very many machines in reasonable time", async () => {
    expect(
      (await simulate({ ...supposed, pattern: "fleet-blind", severity: "at-risk" }, world())).notices,
    ).toHaveLength(1);
    const many = await simulate({ ...supposed, machines: 100_000, minutes: (4 * hour) / minute }, world());
    expect(many.notices.map(({ kind }) => kind)).toEqual(["opened"]);
  });

  it("leaves the thread to others between two moments", async () => {
    let turns = 0;
    let done = false;
    const count = () => {
      turns++;
      if (!done) setImmediate(count);
    };
    setImmediate(count);
    await simulate(supposed, world());
    done = true;
    // A minute in seconds, and the rest of the hour in minutes.
    expect(turns).toBeGreaterThanOrEqual(60 + 59);
  });
});
