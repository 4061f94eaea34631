import { type ChildProcess, spawn } from "node:child_process";
import { once } from "node:events";
import { chmodSync, mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import path from "node:path";
import { setTimeout as delay } from "node:timers/promises";
import { fileURLToPath } from "node:url";
import { type Database, openDatabase } from "@lynceus/db/client";
import { type EmbeddedPostgres, startEmbeddedPostgres } from "@lynceus/db/embedded";
import { migrate } from "@lynceus/db/migrate";
import { savePolicy } from "@lynceus/db/policies";
import { isTransient } from "@lynceus/db/sql-error";
import { newSecretKey, parseKeyRing } from "@lynceus/notify/key-ring";
import { seeded } from "@lynceus/testkit/random";
import { expect, onTestFinished, test } from "vitest";
import { testPolicy } from "./support/facts.ts";
import { configure, machineTable, type WebhookServer, webhook, webhookServer } from "./support/incidents.ts";
import type { Plan } from "./support/incidents-child.ts";

/** Between the finding and the delivery, in order. `receiving`: the receiver has it, and has not answered. */
const steps = [
  "begun",
  "fenced",
  "decided",
  "written",
  "committed",
  "job-begun",
  "claimed",
  "receiving",
  "sent",
  "settled",
] as const;
const victims = ["collector", "database", "lease"] as const;
const phases = ["opened", "resolved"] as const;
/** These are reached once a notice, the others at each turn. */
const ofNotice: readonly string[] = ["job-begun", "claimed", "receiving", "sent", "settled"];

function isAlive(pid: number): boolean {
  try {
    return process.kill(pid, 0);
  } catch {
    return false;
  }
}

interface Run extends Plan {
  /** Which of the two notices is on its way. */
  readonly phase: (typeof phases)[number];
}

/** Each step, victim and phase in turn, in an order that the seed decides, so that few runs cover much. */
function runsOf(seed: number, count: number): Run[] {
  const random = seeded(seed);
  const all = steps.flatMap((step) => victims.flatMap((victim) => phases.map((phase) => ({ step, victim, phase }))));
  const runs: Run[] = [];
  while (runs.length < count) {
    const order = all.map((one) => ({ one, at: random() })).sort((a, b) => a.at - b.at);
    runs.push(
      ...order.map(({ one }) => ({ ...one, count: ofNotice.includes(one.step) ? 1 : 1 + Math.floor(random() * 2) })),
    );
  }
  return runs.slice(0, count);
}

const seed = Number(process.env.LYNCEUS_KILL_SEED ?? 5);
const count = Number(process.env.LYNCEUS_KILL_RUNS ?? 6);

const secretKey = newSecretKey();
const script = fileURLToPath(new URL("support/incidents-child.ts", import.meta.url));

/** A collector, started again whenever it ends. */
class Collector {
  private child: ChildProcess | null = null;
  private stopping = false;
  restarts = 0;

  constructor(
    readonly id: string,
    private readonly url: string,
    private readonly onReached: (message: { reached: string; victim: Plan["victim"]; id: string }) => Promise<void>,
  ) {}

  async start(): Promise<void> {
    const child = spawn(process.execPath, ["--import", "tsx", script, this.id], {
      env: { ...process.env, DATABASE_URL: this.url, LYNCEUS_SECRET_KEY: secretKey },
      stdio: ["ignore", "ignore", "inherit", "ipc"],
    });
    this.child = child;
    child.on("message", (message: { reached?: string; victim: Plan["victim"]; id: string }) => {
      if (message.reached)
        void this.onReached({ ...message, reached: message.reached }).then(() => {
          if (child.connected) child.send({ goOn: true });
        });
    });
    child.on("exit", () => {
      if (this.stopping) return;
      this.restarts++;
      void this.start();
    });
    for (;;) {
      const [message] = (await Promise.race([once(child, "message"), once(child, "exit").then(() => [null])])) as [
        { ready?: true } | null,
      ];
      if (message === null || message.ready) return;
    }
  }

  plan(plan: Plan | null): void {
    if (this.child?.connected) this.child.send({ plan });
  }

  kill(): void {
    this.child?.kill("SIGKILL");
  }

  async stop(): Promise<void> {
    this.stopping = true;
    if (!this.child || this.child.exitCode !== null || this.child.signalCode !== null) return;
    const ended = once(this.child, "exit");
    this.child.kill("SIGKILL");
    await ended;
  }
}

/*
 * Real processes: two collectors, a PostgreSQL that syncs, a receiver over HTTP. In each run an incident begins and ends,
 * and at one step of its way somebody is killed with SIGKILL, or loses what they lead. Asserted: the incident is opened
 * once, its beginning and its end reach the receiver, and what came twice came with the same key.
 */
test(
  `every incident is delivered, and twice only with the same key, whoever is killed at which step (${count} runs, seed ${seed})`,
  async () => {
    const directory = mkdtempSync(path.join(tmpdir(), "lynceus-kill-"));
    chmodSync(directory, 0o755);
    const dataDirectory = path.join(directory, "postgres");
    let postgres: EmbeddedPostgres = await startEmbeddedPostgres({ dataDirectory });
    const { url } = postgres;
    let db: Database | null = null;
    let hook: WebhookServer | null = null;
    const collectors: Collector[] = [];
    const log: string[] = [];
    onTestFinished(async () => {
      for (const collector of collectors) await collector.stop();
      await db?.close();
      await hook?.close();
      await postgres.stop();
      rmSync(directory, { recursive: true, force: true, maxRetries: 5 });
    });
    await migrate(url);
    const database = openDatabase({ url, onError: () => {} });
    db = database;
    const server = await webhookServer();
    hook = server;
    const machines = machineTable(database, Date.now);
    await savePolicy(database, { body: testPolicy(1), now: new Date(), createdBy: "test" });
    await configure(database, parseKeyRing(secretKey), {
      receivers: [webhook("ops", server.url, { capPerHour: 10_000 })],
      routes: [{ id: "all", name: "Everything", receivers: ["ops"], groupWaitSeconds: 0 }],
      settings: { resolveHoldMinutes: 0, reopenMinutes: 0 },
    });

    /** The database may be away for a moment. */
    const through = async <T>(work: () => Promise<T>): Promise<T> => {
      for (;;) {
        try {
          return await work();
        } catch (error) {
          if (!isTransient(error)) throw error;
          await delay(50);
        }
      }
    };
    let restarting: Promise<void> = Promise.resolve();
    const killDatabase = () => {
      restarting = restarting.then(async () => {
        process.kill(postgres.pid, "SIGKILL");
        while (isAlive(postgres.pid)) await delay(5);
        postgres = await startEmbeddedPostgres({ dataDirectory });
      });
      return restarting;
    };
    const takeLease = async () => {
      // What the incidents' lease fences may be locked until the other's transaction ends: nobody waits for that here.
      void through(
        () => database.prisma.$executeRaw`
        UPDATE settings SET value = jsonb_build_object('holder', 'nobody', 'until', extract(epoch FROM now()) + 1)
        WHERE key = 'lease-incidents'`,
      );
      await through(
        () => database.prisma.$executeRaw`UPDATE notices SET due_at = now() - interval '1 s' WHERE state = 'sending'`,
      );
    };
    let happened = 0;
    const reached = async ({ victim }: { victim: Plan["victim"] }) => {
      happened++;
      for (const one of collectors) one.plan(null);
      if (victim === "database") await killDatabase();
      if (victim === "lease") await takeLease();
    };
    for (const id of ["k1", "k2"]) collectors.push(new Collector(id, url, reached));
    await Promise.all(collectors.map((collector) => collector.start()));

    /** What a failed run leaves behind. */
    const report = async () => {
      const rows = await database.prisma.$queryRaw<{ row: string }[]>`
        SELECT row_to_json(s)::text AS row FROM (SELECT key, value, now() FROM settings WHERE key LIKE 'lease%') s
        UNION ALL SELECT row_to_json(i)::text FROM (SELECT number, title, ended_at FROM incidents ORDER BY 1 DESC LIMIT 3) i
        UNION ALL SELECT row_to_json(n)::text FROM
          (SELECT id, incident, kind, state, attempts, due_at, claimed_by FROM notices ORDER BY 1 DESC LIMIT 5) n
        UNION ALL SELECT row_to_json(j)::text FROM
          (SELECT id, task_id, key, attempts, locked_by, run_at FROM graphile_worker._private_jobs LIMIT 5) j
        UNION ALL SELECT row_to_json(a)::text FROM
          (SELECT pid, state, wait_event, xact_start, left(query, 80) AS query FROM pg_stat_activity
           WHERE backend_type = 'client backend') a`.catch((error) => [{ row: String(error) }]);
      console.error(`runs so far:\n${[...log.slice(-20), ...rows.map(({ row }) => row)].join("\n")}`);
    };
    const one = async (number: number, run: Run) => {
      const cause = `px${number}:8080 does not answer (refused)`;
      const label = `run ${number + 1}: ${run.victim} at ${run.step} (${run.count}) of ${run.phase}`;
      const began = Date.now();
      happened = 0;
      const restartsBefore = collectors.reduce((sum, { restarts }) => sum + restarts, 0);
      const kills = () => happened + collectors.reduce((sum, { restarts }) => sum + restarts, 0) - restartsBefore;
      const ids = await through(() => machines.add(3, { route: `px${number}:8080` }));
      const arm = () => {
        if (run.step !== "receiving") {
          for (const one of collectors) one.plan(run);
          return;
        }
        let release = () => {};
        server.state.hold = new Promise((resolve) => {
          release = resolve;
        });
        server.state.onRequest = async () => {
          server.state.onRequest = null;
          server.state.hold = null;
          const [row] = await through(
            () => database.prisma.$queryRaw<{ by: string }[]>`
            SELECT claimed_by AS by FROM notices WHERE state = 'sending' ORDER BY id DESC LIMIT 1`,
          );
          if (run.victim === "collector") collectors.find(({ id }) => id === row?.by)?.kill();
          else await reached(run);
          happened++;
          release();
        };
      };
      const got = (kind: string) =>
        server.got.filter(({ notice }) => notice.kind === kind && notice.incident?.title === cause);
      const acts = {
        opened: () => machines.fail(ids, { cause, route: `px${number}:8080` }),
        resolved: () => machines.heal(ids),
      };
      for (const phase of phases) {
        if (phase === run.phase) arm();
        await through(acts[phase]);
        await expect
          .poll(() => got(phase).length, { timeout: 90_000, interval: 20, message: `${label}: ${phase}` })
          .toBeGreaterThan(0);
      }
      // Everything is written down in the end, whatever was heard of it.
      await expect
        .poll(
          () =>
            through(
              () => database.prisma.$queryRaw<{ state: string; incident: number }[]>`
              SELECT n.state, n.incident FROM notices n JOIN incidents i ON i.number = n.incident
              WHERE i.title = ${cause} ORDER BY n.id`,
            ).then((rows) => rows.map(({ state }) => state)),
          { timeout: 90_000, interval: 50, message: `${label}: settled` },
        )
        .toEqual(["sent", "sent"]);
      // It may be written down before the step of it is reached.
      for (let waited = 0; kills() === 0 && waited < 2_000; waited += 20) await delay(20);
      for (const one of collectors) one.plan(null);
      const incidents = await through(
        () => database.prisma.$queryRaw<{ number: number }[]>`SELECT number FROM incidents WHERE title = ${cause}`,
      );
      expect([label, incidents.length]).toEqual([label, 1]);
      for (const kind of ["opened", "resolved"]) {
        const keys = new Set(got(kind).map(({ key }) => key));
        expect([label, kind, keys.size]).toEqual([label, kind, 1]);
      }
      log.push(
        `${label}: ${kills() > 0 ? "done" : "not reached"}, opened ${got("opened").length} ×, resolved ${got("resolved").length} ×, ${Date.now() - began} ms`,
      );
      if (count > 20) console.info(log.at(-1));
    };
    try {
      for (const [number, run] of runsOf(seed, count).entries()) await one(number, run);
    } catch (error) {
      await report();
      throw error;
    }
    const reachedRuns = log.filter((line) => line.includes(": done")).length;
    console.info(
      `${reachedRuns} of ${count} runs killed somebody; ${log.filter((line) => !/opened 1 ×, resolved 1 ×/.test(line)).length} sent something twice, with its key`,
    );
    // A run in which nobody was killed proves nothing.
    expect(reachedRuns).toBeGreaterThanOrEqual(Math.floor(count * 0.9));
    // No other notice was sent than a beginning and an end for each.
    expect(new Set(server.got.map(({ key }) => key)).size).toBe(2 * count);
  },
  Math.max(180_000, count * 30_000),
);
