import { describe, expect, it } from "vitest";
import { siteKey } from "../src/spread.ts";
import { cause, config, finding, hour, machine, machines, minute, second, start, World } from "./support/world.ts";

const ids = (count: number, prefix = "m") => Array.from({ length: count }, (_, index) => `${prefix}${index}`);
const fleetProxy = finding("fleet-shared-proxy", "px1:8080 fails for all behind it");

describe("an incident opens", () => {
  it("of two machines with one cause, and not of one", () => {
    const world = new World(config());
    world.put(machine("m0"));
    world.turn();
    expect([world.open, world.loose]).toEqual([[], 1]);
    world.put(machine("m1"));
    world.turn();
    expect([world.open, world.loose]).toEqual([[1], 0]);
    expect(world.incident(1)).toMatchObject({
      title: "px1 asks for its own login",
      pattern: "proxy-auth-required",
      severity: "prompting",
      openedBecause: "enough-machines",
      failing: 2,
    });
  });

  it("of one machine with an important tag", () => {
    const world = new World(config({ importantTags: ["vip"] }));
    world.put(machine("m0", { tags: ["vip"] }));
    world.turn();
    expect(world.incident(1)).toMatchObject({ openedBecause: "important-machine", urgency: "high" });
  });

  it("of a fault that no pattern explains once it has lasted two cycles, since a lost page is worse", () => {
    const world = new World(config());
    world.put(...machines(6, { primary: null, patterns: [], verdict: "proxy-upstream-fail" }));
    world.advance(29 * minute);
    expect(world.open).toEqual([]);
    world.advance(2 * minute);
    expect(world.incident(1)).toMatchObject({
      pattern: null,
      severity: "prompting",
      confidence: "low",
      urgency: "high",
    });
    expect(world.incident(1).title).toBe("EWS shows proxy-upstream-fail, and no known pattern explains it");
  });

  it("by what a machine fails of, not by a finding that is at risk alone", () => {
    const world = new World(config());
    world.unexplainedAfter = 0;
    const drift = finding("proxy-baseline-drift", "not the setting that is rolled out", "at-risk");
    world.put(...machines(5, { primary: drift, patterns: ["proxy-baseline-drift"], verdict: "tcp-timeout" }));
    world.turn();
    expect(world.incident(1)).toMatchObject({ pattern: null, title: expect.stringContaining("tcp-timeout") });
  });

  it.each(["stale", "cannot-tell", "signed-off", "healthy"] as const)("never of machines that are %s", (status) => {
    const world = new World(config());
    world.put(...machines(50, { status }));
    world.advance(10 * minute);
    expect(world.incidents).toEqual([]);
  });

  it("apart for simulated machines, and for each location", () => {
    const world = new World(config());
    world.put(
      ...machines(3, {}, "a"),
      ...machines(3, { simulated: true }, "b"),
      ...machines(3, { location: "vpn" }, "c"),
    );
    world.turn();
    expect(world.incidents.map(({ simulated, location }) => `${simulated} ${location}`)).toEqual([
      "false inside",
      "false vpn",
      "true inside",
    ]);
  });

  it("once for one cause, however the fault was noticed on each machine", () => {
    const world = new World(config());
    world.put(
      ...machines(3, { primary: finding("proxy-unreachable", "px1:8080 does not answer (refused)") }, "a"),
      ...machines(3, { primary: finding("proxy-unreachable", "px1:8080 does not answer (timeout)") }, "b"),
    );
    world.turn();
    expect(world.open).toEqual([1]);
  });
});

describe("a silent site", () => {
  const silent = machines(12, {
    status: "stale",
    site: "Manila",
    primary: null,
    patterns: ["fleet-blind"],
  });

  it("opens an incident of its own, for which stale machines count", () => {
    const world = new World(config());
    world.put(...silent);
    world.turn();
    expect(world.incident(1)).toMatchObject({
      kind: "silent",
      pattern: "fleet-blind",
      title: "Manila fell silent",
      openedBecause: "site-silent",
      urgency: "high",
      failing: 12,
    });
    expect(world.incident(1).sites).toEqual([{ site: "Manila", machines: 12, of: 988 }]);
  });

  it("closes nothing that was found before: its machines stay in both", () => {
    const world = new World(config());
    world.put(...machines(12, { site: "Manila" }));
    world.turn();
    world.put(...silent);
    world.advance(30 * minute);
    expect(world.open).toEqual([1, 2]);
    expect(world.incident(1)).toMatchObject({ failing: 0, silent: 12, ended: null });
  });

  it("is over when its machines report again", () => {
    const world = new World(config());
    world.put(...silent);
    world.turn();
    world.heal();
    world.advance(6 * minute);
    expect(world.incident(1).ended).toMatchObject({ how: "resolved" });
  });
});

describe("identity", () => {
  it("survives pattern, fleet pattern and shared cause: one incident all the time", () => {
    const world = new World(config());
    world.put(...machines(20));
    world.turn();
    world.change(ids(20), { primary: fleetProxy, patterns: ["fleet-shared-proxy"] });
    world.advance(10 * second);
    world.causes = [cause()];
    world.advance(10 * second);
    expect(world.incidents.map(({ number }) => number)).toEqual([1]);
    expect(world.incident(1)).toMatchObject({
      rank: 1,
      causeId: cause().id,
      pattern: "fleet-shared-proxy",
      explanation:
        "Proxy px1:8080 explains 347 of the 351 failing machines. 0 of 9,812 healthy share it. 4 do not fit.",
    });
    // And back, when attribution says no more of it.
    world.causes = [];
    world.advance(2 * minute);
    expect(world.open).toEqual([1]);
  });

  it("takes in a machine that shares the cause's value before attribution has counted it", () => {
    const world = new World(config());
    world.causes = [cause({ members: new Set(ids(20)) })];
    world.put(...machines(20));
    world.turn();
    world.put(
      ...machines(30, { primary: finding("proxied-path-broken", "px1:8080 does not carry Exchange (502)") }, "late"),
    );
    world.turn();
    expect(world.open).toEqual([1]);
    expect(world.incident(1).failing).toBe(50);
  });

  it("takes in machines that still bear its first name, while most have a more specific one", () => {
    const world = new World(config());
    world.put(...machines(20));
    world.turn();
    world.causes = [cause()];
    world.turn();
    // Of these the proxy is not known, so the cause does not name them.
    world.put(...machines(5, { values: {} }, "late"));
    world.advance(10 * minute);
    expect(world.open).toEqual([1]);
    expect(world.incident(1).failing).toBe(25);
  });

  it("is kept while the machines change one by one", () => {
    const world = new World(config());
    world.put(...machines(10));
    world.turn();
    for (let index = 0; index < 30; index++) {
      world.put(machine(`n${index}`));
      if (index < 10) world.heal(`m${index}`);
      world.advance(minute);
    }
    expect(world.incidents.map(({ number }) => number)).toEqual([1]);
    expect(world.membersOf(1)).toEqual(ids(30, "n").sort());
  });
});

describe("a common cause that is found mid-incident", () => {
  const two = () => {
    const world = new World(config());
    world.put(
      ...machines(10, { primary: finding("proxy-unreachable", "px1:8080 does not answer (timeout)") }, "a"),
      ...machines(10, { primary: finding("proxied-path-broken", "px1:8080 does not carry Exchange (502)") }, "b"),
    );
    world.turn();
    expect(world.open).toEqual([1, 2]);
    return world;
  };

  it("makes one incident of several: the oldest goes on, and both tell of it", () => {
    const world = two();
    world.causes = [cause()];
    world.turn();
    expect(world.open).toEqual([1]);
    expect(world.incident(2).ended).toMatchObject({ how: "merged", into: 1 });
    expect(world.membersOf(1)).toHaveLength(20);
    expect(
      world.events.filter(({ kind }) => kind === "merged").map(({ incident, reason }) => [incident, reason]),
    ).toEqual([
      [2, "common-cause"],
      [1, "common-cause"],
    ]);
  });

  it("lets the one go on that somebody has acknowledged", () => {
    const world = two();
    world.acknowledge(2);
    world.causes = [cause()];
    world.turn();
    expect(world.open).toEqual([2]);
    expect(world.incident(1).ended).toMatchObject({ how: "merged", into: 2 });
  });

  it("merges three, whatever the order of the machines", () => {
    for (const turnRound of [false, true]) {
      const world = two();
      world.put(...machines(4, { primary: finding("proxy-blocks-exchange", "px1:8080 refuses mail") }, "c"));
      world.turn();
      if (turnRound) world.order = (list) => list.reverse();
      world.causes = [cause()];
      world.turn();
      expect(world.open).toEqual([1]);
      expect(world.incident(1).failing).toBe(24);
    }
  });
});

describe("an incident that falls apart", () => {
  const apart = () => {
    const world = new World(config());
    world.causes = [cause()];
    world.put(
      ...machines(10, { primary: finding("proxy-unreachable", "px1:8080 does not answer (timeout)") }, "a"),
      ...machines(6, { primary: finding("tls-interception", "Zscaler decrypts mail") }, "b"),
    );
    world.turn();
    expect(world.open).toEqual([1]);
    world.causes = [];
    return world;
  };

  it("splits only after it stood apart for the hold time; the larger part stays", () => {
    const world = apart();
    world.advance(58 * second);
    expect(world.open).toEqual([1]);
    world.advance(10 * second);
    expect(world.open).toEqual([1, 2]);
    expect(world.membersOf(1)).toEqual(ids(10, "a"));
    expect(world.incident(2)).toMatchObject({
      splitFrom: 1,
      openedBecause: "fell-apart",
      title: "Zscaler decrypts mail",
    });
    expect(world.events.find(({ kind }) => kind === "split")).toMatchObject({ incident: 1, detail: { to: 2 } });
  });

  it("stays whole where the cause is found again within the hold time", () => {
    const world = apart();
    world.advance(50 * second);
    world.causes = [cause()];
    world.advance(10 * second);
    world.causes = [];
    world.advance(50 * second);
    expect(world.open).toEqual([1]);
  });

  it("keeps a part that would be too small for an incident", () => {
    const world = new World(config());
    world.causes = [cause()];
    world.put(
      ...machines(10),
      machine("odd", { primary: finding("clock-skew", "the machine's clock is 9 min behind") }),
    );
    world.turn();
    world.causes = [];
    world.advance(10 * minute);
    expect(world.open).toEqual([1]);
    expect(world.incident(1).failing).toBe(11);
  });

  it("does not come apart again and again: what was split goes its own way", () => {
    const world = apart();
    world.advance(2 * minute);
    world.put(machine("b9", { primary: finding("tls-interception", "Zscaler decrypts mail") }));
    world.advance(2 * minute);
    expect(world.open).toEqual([1, 2]);
    expect(world.membersOf(2)).toContain("b9");
  });
});

describe("the end of an incident", () => {
  it("comes when no member failed for the hold time, and not a turn before", () => {
    const world = new World(config());
    world.put(...machines(4));
    world.turn();
    world.heal();
    world.advance(2 * second);
    world.advance(5 * minute - 2 * second);
    expect(world.open).toEqual([1]);
    world.advance(2 * second);
    expect(world.incident(1).ended).toMatchObject({ how: "resolved", at: world.now });
    expect(world.members.failing.size).toBe(0);
  });

  it("does not come while one member fails on", () => {
    const world = new World(config());
    world.put(...machines(4));
    world.turn();
    world.heal("m0", "m1", "m2");
    world.advance(hour);
    expect(world.open).toEqual([1]);
    expect(world.incident(1)).toMatchObject({ failing: 1, peak: 4 });
  });

  it("does not come because everybody went home: silent members are not verified", () => {
    const world = new World(config());
    world.put(...machines(10));
    world.turn();
    world.change(ids(10), { status: "signed-off" });
    world.advance(2 * hour);
    expect(world.incident(1)).toMatchObject({ ended: null, failing: 0, silent: 10 });
  });

  it("comes where most were seen well again, and says how many were not", () => {
    const world = new World(config());
    world.put(...machines(10));
    world.turn();
    world.change(ids(3), { status: "stale" });
    world.heal(...ids(10).slice(3));
    world.advance(6 * minute);
    expect(world.incident(1).ended?.how).toBe("resolved");
    expect(world.events.find(({ kind }) => kind === "resolved")?.text).toContain(
      "3 of its machines fell silent and are not verified",
    );
    expect(world.members.failing.size).toBe(0);
  });

  it("comes as not verified when nobody was seen for a day", () => {
    const world = new World(config({ settings: { unverifiedHours: 1 } }));
    world.put(...machines(10));
    world.turn();
    world.change(ids(10), { status: "signed-off" });
    world.advance(61 * minute);
    expect(world.incident(1).ended?.how).toBe("not-verified");
  });

  it("is taken back when the cause comes back soon, and is another incident later", () => {
    const world = new World(config());
    world.put(...machines(4));
    world.turn();
    world.heal();
    world.advance(6 * minute);
    world.put(...machines(4));
    world.turn();
    expect(world.open).toEqual([1]);
    expect(world.events.find(({ kind }) => kind === "reopened")).toMatchObject({ reason: "came-back" });
    world.heal();
    world.advance(40 * minute);
    world.put(...machines(4));
    world.turn();
    expect(world.open).toEqual([2]);
  });
});

describe("an incident that comes and goes", () => {
  it("is flapping from the third time within an hour, and steady after half an hour", () => {
    const world = new World(config());
    for (let round = 0; round < 3; round++) {
      world.put(...machines(4));
      world.advance(minute);
      world.heal();
      world.advance(minute);
    }
    expect(world.incident(1).flappingSince).not.toBeNull();
    expect(world.events.filter(({ kind }) => kind === "flapping")).toHaveLength(1);
    // Not resolved by the usual hold: it would come back.
    world.advance(10 * minute);
    expect(world.incident(1).ended).toBeNull();
    world.advance(21 * minute);
    expect(world.incident(1)).toMatchObject({ flappingSince: null, ended: { how: "resolved" } });
  });

  it("is open and steady where it fails on for half an hour", () => {
    const world = new World(config());
    for (let round = 0; round < 3; round++) {
      world.heal();
      world.advance(minute);
      world.put(...machines(4));
      world.advance(minute);
    }
    world.advance(30 * minute);
    expect(world.incident(1)).toMatchObject({ flappingSince: null, ended: null, failing: 4 });
  });
});

describe("an incident that was closed by hand", () => {
  const closed = () => {
    const world = new World(config());
    world.put(...machines(4));
    world.turn();
    world.edit(1, { ended: { at: world.now, how: "closed", by: "M. Huber", note: "known", into: null } });
    return world;
  };

  it("stays closed while the same machines fail", () => {
    const world = closed();
    world.advance(2 * hour);
    expect(world.open).toEqual([]);
    expect(world.incidents).toHaveLength(1);
  });

  it("comes back where other machines fail as well", () => {
    const world = closed();
    world.put(machine("n0"));
    world.advance(10 * second);
    expect(world.open).toEqual([]);
    world.put(machine("n1"));
    world.advance(10 * second);
    expect(world.open).toEqual([1]);
    expect(world.events.at(-1)).toMatchObject({ incident: 1 });
    expect(world.events.some(({ reason }) => reason === "more-after-close")).toBe(true);
  });
});

describe("urgency", () => {
  const world = (count: number, change: Parameters<typeof machines>[1] = {}, settings = {}) => {
    const made = new World(config(settings));
    made.put(...machines(count, change));
    made.turn();
    return made;
  };

  it.each([
    [4, "low"],
    [5, "high"],
  ])("of %s machines that prompt is %s", (count, urgency) => {
    expect(world(count).incident(1).urgency).toBe(urgency);
  });

  it("is high for a fifth of a site, where they are three at least", () => {
    const made = new World(config());
    made.sites.set(siteKey({ simulated: false, location: "inside", site: "Graz" }), 15);
    made.put(...machines(2, { site: "Graz" }));
    made.turn();
    expect(made.incident(1).urgency).toBe("low");
    made.put(machine("m2", { site: "Graz" }));
    made.turn();
    expect(made.incident(1).urgency).toBe("high");
  });

  it("is high when Exchange is down for everyone, however few report it", () => {
    const down = finding("fleet-ews-down", "Exchange at mail answers nobody");
    expect(world(2, { primary: down, patterns: ["fleet-ews-down"] }).incident(1).urgency).toBe("high");
  });

  it("does not fall while the incident is open, so that coming and going is not news each time", () => {
    const made = world(5);
    made.heal("m0");
    made.advance(minute);
    expect(made.incident(1).urgency).toBe("high");
    made.put(machine("m0"));
    made.advance(10 * minute);
    expect(made.events.filter(({ kind }) => kind === "urgency")).toEqual([]);
  });
});

describe("the timeline", () => {
  it("tells of a growing incident at most once a minute, and at once where it reaches another site", () => {
    const made = new World(config());
    made.put(...machines(4));
    made.turn();
    for (let index = 0; index < 60; index++) {
      made.put(machine(`n${index}`));
      made.advance(2 * second);
    }
    const told = made.events.filter(({ kind }) => kind === "spread");
    expect(told.length).toBeLessThanOrEqual(2);
    made.put(machine("far", { site: "Manila" }));
    made.turn();
    expect(made.events.at(-1)?.text).toBe("65 machines at 2 sites");
  });

  it("gives since when the first machine failed, also where it was noticed later", () => {
    const made = new World(config());
    made.put(machine("m0", { since: start - hour }), machine("m1"));
    made.turn();
    expect(made.incident(1).since).toBe(start - hour);
  });
});
