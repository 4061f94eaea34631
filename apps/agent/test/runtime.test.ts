import { randomUUID } from "node:crypto";
import type { CanaryAnswer } from "@lynceus/protocol/canary";
import type { SettingsFacts } from "@lynceus/protocol/facts";
import { buildPolicy } from "@lynceus/protocol/presets";
import { describe, expect, it, onTestFinished } from "vitest";
import type { CanaryRequest } from "../src/canary.ts";
import type { LinkState } from "../src/link/link.ts";
import { memoryOutbox } from "../src/outbox/memory-outbox.ts";
import type { MachineWatch } from "../src/platform/watch.ts";
import { type CycleRequest, createRuntime, type Draft, type RuntimeOptions } from "../src/runtime.ts";
import { testClock } from "./support/clock.ts";
import { probeFacts } from "./support/probe-facts.ts";

const policy = {
  ...buildPolicy({ ews: ["mail.contoso.com"], smtpDomains: ["contoso.com"], sipDomains: [] }, 1),
  minSecondsPerHost: 0,
};
const settings: SettingsFacts = {
  users: [],
  configurations: [],
  nobodySignedIn: false,
  winhttp64: null,
  winhttp32: null,
  policy: { ProxySettingsPerUser: null, gpoManaged: null, DisableWpad: null },
  sources: [],
};
const connected: LinkState = {
  phase: "connected",
  since: 0,
  via: "direct",
  lastError: null,
  rejected: null,
  retryInMs: null,
};

function setUp(more: Partial<RuntimeOptions> = {}) {
  const clock = testClock();
  const outbox = memoryOutbox({ clock, newId: randomUUID });
  const cycles: CycleRequest[] = [];
  const said: { id: string; state: string; done: number; total: number }[] = [];
  const canaries: CanaryRequest[] = [];
  const answered: { id: string; answers: readonly CanaryAnswer[] }[] = [];
  const logged: string[] = [];
  let wakes = 0;
  const world = {
    drafts: [{ kind: "probe", key: "probe:c1:ews:configured", location: "inside", facts: probeFacts() }] as Draft[],
    settings,
    fingerprint: "one",
    stopped: [] as string[],
  };
  const runtime = createRuntime({
    async *observe(request) {
      cycles.push(request);
      request.onProgress(1, 1);
      yield* world.drafts;
    },
    readSettings: async () => world.settings,
    canary: async (request) => {
      canaries.push(request);
      request.onProgress(1, request.routes.length);
      return request.routes.map(({ target, proxy }) => ({ target, proxy, refused: "a test", facts: null }));
    },
    networkFingerprint: () => world.fingerprint,
    outbox,
    link: {
      start() {},
      async stop(reason) {
        world.stopped.push(reason);
      },
      wake: () => wakes++,
      progress: (id, state, done, total) => said.push({ id, state, done, total }),
      answerCanary: (id, answers) => answered.push({ id, answers }),
      state: () => connected,
    },
    clock,
    random: () => 0.5,
    policy,
    log: (_level, message) => logged.push(message),
    onStatus: () => {},
    ...more,
  });
  onTestFinished(() => runtime.stop("stop"));
  const sent = () => outbox.read(0, { items: 500, bytes: 1e6 });
  return { runtime, clock, outbox, cycles, said, canaries, answered, logged, world, sent, wakes: () => wakes };
}
const minute = 60_000;

describe("the runtime", () => {
  it("observes at the start, and then confirms what did not change", async () => {
    const { runtime, clock, cycles, sent, wakes, world } = setUp();
    runtime.start();
    await clock.advance(1000);
    expect(cycles.map(({ whole }) => whole)).toEqual([true]);
    expect(sent()?.items).toHaveLength(1);
    expect(wakes()).toBeGreaterThan(0);
    world.drafts = [
      { kind: "probe", key: "probe:c1:ews:configured", location: "inside", facts: probeFacts({ totalMs: 77 }) },
    ];
    await clock.advance(15 * minute);
    expect(cycles).toHaveLength(2);
    const batch = sent();
    // The settings were read in between.
    expect(batch?.items.map((item) => item.kind)).toEqual(["probe", "settings"]);
    expect(batch?.confirmations).toMatchObject([{ seq: 3, digest: batch?.items[0]?.digest, timings: { total: 77 } }]);
  });

  it("reads the settings as soon as the system says that they changed, and probes after the spread", async () => {
    let change: MachineWatch["onChange"] = () => {};
    let ended = false;
    let reads = 0;
    const changed = { ...settings, nobodySignedIn: true };
    const { runtime, clock, cycles, sent } = setUp({
      watch: ({ onChange }) => {
        change = onChange;
        const end = () => {
          ended = true;
        };
        return { network: true, end };
      },
      readSettings: async () => (++reads === 1 ? settings : changed),
    });
    runtime.start();
    await clock.advance(minute);
    change("settings");
    await clock.advance(2000);
    // Ten values that are written one after the other are one change.
    for (let i = 0; i < 10; i++) change("settings");
    await clock.advance(1999);
    expect(reads).toBe(2);
    expect(
      sent()
        ?.items.filter(({ kind }) => kind === "settings")
        .map(({ facts }) => facts),
    ).toEqual([settings, changed]);
    expect(cycles).toHaveLength(1);
    await clock.advance(minute);
    expect(cycles).toHaveLength(2);
    await runtime.stop("stop");
    expect(ended).toBe(true);
  });

  it("looks at the network at once when the system says that it changed", async () => {
    let change: MachineWatch["onChange"] = () => {};
    const { runtime, clock, logged, world } = setUp({
      watch: ({ onChange }) => {
        change = onChange;
        return { network: true, end() {} };
      },
    });
    runtime.start();
    await clock.advance(1000);
    world.fingerprint = "two";
    change("network");
    await clock.advance(300);
    expect(logged).toContain("the network or the proxy settings changed");
  });

  it("looks at the network every few seconds where the system does not tell of it, else each minute", async () => {
    for (const [network, looks] of [
      [false, 12],
      [true, 1],
    ] as const) {
      let looked = 0;
      const { runtime, clock } = setUp({
        watch: () => ({ network, end() {} }),
        networkFingerprint: () => `${looked++}`.replace(/./g, ""),
      });
      runtime.start();
      await clock.advance(1000);
      looked = 0;
      await clock.advance(minute);
      expect(looked).toBe(looks);
    }
  });

  it("says when there is nothing to do for now, and whether there was", async () => {
    const rests: boolean[] = [];
    const { runtime, clock } = setUp({ onRest: (worked) => rests.push(worked) });
    runtime.start();
    await clock.advance(1000);
    expect(rests[0]).toBe(true);
    rests.length = 0;
    await clock.advance(20_000);
    expect(new Set(rests)).toEqual(new Set([false]));
  });

  it("marks what a re-probe of a failed target saw, because it is no cycle", async () => {
    const { runtime, clock, cycles, sent, world } = setUp();
    const key = "probe:c1:ews:configured";
    const failed = (ms: number) => probeFacts({ timedOut: ms > 0 });
    world.drafts = [{ kind: "probe", key, location: "inside", facts: failed(1) }];
    runtime.start();
    await clock.advance(1000);
    await clock.advance(2 * minute);
    world.drafts = [{ kind: "probe", key, location: "inside", facts: failed(0) }];
    await clock.advance(5 * minute);
    expect(cycles.map(({ whole, targets }) => (whole ? "all" : targets))).toEqual(["all", ["ews"], ["ews"]]);
    const probes = sent()?.items.filter((item) => item.key === key);
    expect(probes?.map(({ partial }) => partial)).toEqual([undefined, true]);
    expect(sent()?.confirmations.map(({ partial }) => partial)).toEqual([true]);
    await clock.advance(15 * minute);
    expect(sent()?.confirmations.map(({ partial }) => partial)).toEqual([true, undefined]);
  });

  it("counts what waited for its host's share with its cycle", async () => {
    const spaced = { ...policy, minSecondsPerHost: 300 };
    const { runtime, clock, cycles, sent, world } = setUp({ policy: spaced });
    const key = "probe:c1:mapi:configured";
    world.drafts = [{ kind: "probe", key, location: "inside", facts: probeFacts() }];
    runtime.start();
    await clock.advance(1000);
    await clock.advance(6 * minute);
    expect(cycles.map(({ whole }) => whole).slice(0, 2)).toEqual([true, false]);
    expect(sent()?.items.every(({ partial }) => partial === undefined)).toBe(true);
    expect(sent()?.confirmations.every(({ partial }) => partial === undefined)).toBe(true);
    expect(sent()?.confirmations.length).toBeGreaterThan(0);
  });

  it("sends facts in full that changed, or that were seen somewhere else", async () => {
    const { runtime, clock, sent, world } = setUp();
    runtime.start();
    await clock.advance(1000);
    world.drafts = [{ kind: "probe", key: "probe:c1:ews:configured", location: "outside", facts: probeFacts() }];
    await clock.advance(15 * minute);
    world.drafts = [
      { kind: "probe", key: "probe:c1:ews:configured", location: "outside", facts: probeFacts({ timedOut: true }) },
    ];
    await clock.advance(15 * minute);
    expect(sent()?.items.length).toBeGreaterThanOrEqual(3);
  });

  it("sends in full again what the outbox gave up or the collector lost", async () => {
    const { runtime, clock, sent } = setUp();
    runtime.start();
    await clock.advance(1000);
    runtime.dropped([{ key: "probe:c1:ews:configured", seq: 1 }]);
    await clock.advance(15 * minute);
    runtime.forgetAll();
    await clock.advance(15 * minute);
    expect(sent()?.items.filter((item) => item.kind === "probe")).toHaveLength(3);
    expect(sent()?.confirmations).toHaveLength(0);
  });

  it("probes once more after a change of the network", async () => {
    const { runtime, clock, cycles, world } = setUp();
    runtime.start();
    await clock.advance(6000);
    world.fingerprint = "two";
    await clock.advance(minute + 6000);
    expect(cycles).toHaveLength(2);
  });

  it("probes once more after the machine was suspended, wherever it wakes", async () => {
    const base = testClock();
    let slept = 0;
    const { runtime, cycles, logged } = setUp({ clock: { ...base, uptime: () => base.uptime() + slept } });
    runtime.start();
    await base.advance(6000);
    expect(cycles).toHaveLength(1);
    slept = 2 * minute;
    await base.advance(minute + 6000);
    expect(logged).toContain("the machine was suspended");
    expect(cycles).toHaveLength(2);
    await base.advance(2 * minute);
    expect(cycles).toHaveLength(2);
  });

  it("reports changed settings when it reads them, and probes once more", async () => {
    const { runtime, clock, cycles, sent, world } = setUp();
    runtime.start();
    await clock.advance(5 * minute + 1000);
    expect(sent()?.items.map((item) => item.kind)).toEqual(["probe", "settings"]);
    await clock.advance(4 * minute);
    expect(cycles).toHaveLength(1);
    world.settings = { ...settings, nobodySignedIn: true };
    await clock.advance(2 * minute + 30_000);
    expect(sent()?.items.filter((item) => item.kind === "settings")).toHaveLength(2);
    expect(cycles).toHaveLength(2);
  });

  it("answers check-now with started, progress and done, and the same command once", async () => {
    const { runtime, clock, said, cycles } = setUp();
    runtime.start();
    await clock.advance(1000);
    const id = randomUUID();
    runtime.checkNow(id);
    runtime.checkNow(id);
    await clock.advance(1000);
    expect(cycles).toHaveLength(2);
    expect(said.map(({ state }) => state)).toEqual(["started", "progress", "done"]);
    expect(said.at(-1)).toMatchObject({ id, done: 1, total: 1 });
  });

  it("refuses check-now without a policy, and begins when one comes", async () => {
    const { runtime, clock, said, cycles } = setUp({ policy: null });
    runtime.start();
    runtime.checkNow("a");
    expect(said).toMatchObject([{ state: "refused" }]);
    await clock.advance(60 * minute);
    expect(cycles).toHaveLength(0);
    runtime.setPolicy(policy);
    await clock.advance(1000);
    expect(cycles).toHaveLength(1);
  });

  it("refuses more commands than it will remember", async () => {
    let release = () => {};
    const held = new Promise<void>((resolve) => {
      release = resolve;
    });
    const { runtime, clock, said } = setUp({
      async *observe() {
        await held;
        yield* [];
      },
    });
    runtime.start();
    for (let n = 0; n < 20; n++) runtime.checkNow(randomUUID());
    expect(said.filter(({ state }) => state === "refused")).toHaveLength(4);
    release();
    await clock.advance(1000);
    expect(said.filter(({ state }) => state === "done")).toHaveLength(16);
  });

  it("goes on after a cycle that failed", async () => {
    let fail = true;
    const seen: CycleRequest[] = [];
    const { runtime, clock, logged } = setUp({
      async *observe(request) {
        seen.push(request);
        if (fail) throw new Error("a bug");
        yield* [];
      },
    });
    runtime.start();
    await clock.advance(1000);
    expect(logged).toContain("a cycle failed");
    fail = false;
    await clock.advance(15 * minute);
    expect(seen).toHaveLength(2);
  });

  it("keeps facts to itself that break the wire's rules", async () => {
    const { runtime, clock, outbox, logged, world } = setUp();
    world.drafts = [{ kind: "probe", key: "probe:x", location: "inside", facts: { target: 5 } }];
    runtime.start();
    await clock.advance(1000);
    expect(outbox.lastSeq()).toBe(0);
    expect(logged.some((line) => line.includes("wire's rules"))).toBe(true);
  });

  it("leaves the network alone once its key is revoked", async () => {
    const { runtime, clock, cycles } = setUp();
    runtime.start();
    await clock.advance(1000);
    runtime.linkChanged({ ...connected, phase: "waiting", rejected: "revoked" });
    await clock.advance(120 * minute);
    expect(cycles).toHaveLength(1);
    runtime.linkChanged(connected);
    await clock.advance(minute);
    expect(cycles).toHaveLength(2);
  });

  it("ends a running cycle when it is stopped, and says goodbye after it", async () => {
    const { runtime, clock, world } = setUp({
      async *observe({ signal }) {
        await new Promise((_resolve, reject) => signal.addEventListener("abort", () => reject(signal.reason)));
      },
    });
    runtime.start();
    await clock.advance(1000);
    await runtime.stop("shutdown");
    expect(world.stopped).toEqual(["shutdown"]);
  });
});

describe("a canary", () => {
  const routes = [{ target: "ews", proxy: null }];

  it("waits for the running cycle, answers, and leaves nothing in the outbox", async () => {
    const { runtime, clock, cycles, canaries, answered, said, sent, outbox } = setUp();
    runtime.start();
    await clock.advance(0);
    expect(cycles).toHaveLength(1);
    const before = outbox.lastSeq();
    runtime.canary("canary-1", routes);
    await clock.advance(minute);
    expect(canaries).toMatchObject([{ routes, policy }]);
    expect(answered).toEqual([
      { id: "canary-1", answers: [{ target: "ews", proxy: null, refused: "a test", facts: null }] },
    ]);
    expect(said.filter(({ id }) => id === "canary-1").map(({ state }) => state)).toEqual([
      "started",
      "progress",
      "done",
    ]);
    expect(sent()?.items.every(({ key }) => !key.includes("canary"))).toBe(true);
    expect(outbox.lastSeq()).toBe(before);
  });

  it("is refused without a policy, and while another one is under way", async () => {
    const without = setUp({ policy: null });
    without.runtime.canary("a", routes);
    expect(without.said).toEqual([{ id: "a", state: "refused", done: 0, total: 0 }]);
    const { runtime, said } = setUp({
      canary: ({ signal }) => new Promise((_, reject) => signal.addEventListener("abort", () => reject(signal.reason))),
    });
    runtime.canary("a", routes);
    runtime.canary("b", routes);
    runtime.canary("a", routes);
    expect(said.map(({ id, state }) => `${id} ${state}`)).toEqual(["a started", "b refused"]);
  });
});
