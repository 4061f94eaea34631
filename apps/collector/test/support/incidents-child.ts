/*
 * A collector in a process of its own, for tests that kill it, or its database, between two steps of an incident. The parent
 * sends at which step; the process ends itself there, or tells the parent and waits until the database was killed.
 */
import { openDatabase } from "@lynceus/db/client";
import { parseKeyRing } from "@lynceus/notify/key-ring";
import { pino } from "pino";
import { defaultConfig } from "../../src/config.ts";
import { startCollector } from "../../src/server.ts";

/** At the `count`th time that this step is reached. */
export interface Plan {
  readonly victim: "collector" | "database" | "lease";
  readonly step: string;
  readonly count: number;
}

let plan: Plan | null = null;
let seen = 0;
let goOn = () => {};
process.on("message", (message: { plan?: Plan | null; goOn?: true }) => {
  if (message.plan !== undefined) [plan, seen] = [message.plan, 0];
  if (message.goOn) goOn();
});

// Nobody outlives the test.
process.on("disconnect", () => process.exit(0));

const id = process.argv[2] ?? "k1";
const db = openDatabase({ url: process.env.DATABASE_URL ?? "", onError: () => {} });
await startCollector({
  db,
  id,
  host: "127.0.0.1",
  port: 0,
  tls: null,
  publicUrl: null,
  config: { ...defaultConfig, incidentInterval: 1_000, incidentLease: 3_000, noticeInterval: 1_000 },
  version: "0.0.0",
  now: () => Date.now(),
  monotonic: () => performance.now(),
  random: Math.random,
  keys: parseKeyRing(process.env.LYNCEUS_SECRET_KEY ?? ""),
  receiversReach: "loopback",
  log: pino({ level: process.env.LYNCEUS_TEST_LOG ?? "silent" }, pino.destination({ fd: 2, sync: true })),
  timers: true,
  onStep: async (step) => {
    if (plan?.step !== step || ++seen < plan.count) return;
    const { victim } = plan;
    plan = null;
    // Sent and gone: the parent learns of it by the end of the process.
    if (victim === "collector") process.kill(process.pid, "SIGKILL");
    const done = new Promise<void>((resolve) => {
      goOn = resolve;
    });
    process.send?.({ reached: step, victim, id });
    await done;
  },
});
process.send?.({ ready: true });
