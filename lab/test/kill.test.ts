import { chmodSync, mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import path from "node:path";
import { openDatabase } from "@lynceus/db/client";
import { type EmbeddedPostgres, startEmbeddedPostgres } from "@lynceus/db/embedded";
import { createToken } from "@lynceus/db/enrollment";
import { migrate } from "@lynceus/db/migrate";
import { wholeFleet } from "@lynceus/db/scope";
import { seeded } from "@lynceus/testkit/random";
import { expect, onTestFailed, onTestFinished, test } from "vitest";
import { quietPort, type Running, startCollector, startSender } from "../src/crash-processes.ts";

type Victim = "sender" | "collector" | "postgres";

/** When the next process is killed, counted from when the last one was started again. */
interface Moment {
  readonly victim: Victim;
  /** Entries that the agent has promised since. */
  readonly promised: number;
  /** Entries that were acknowledged since; 0 = the kill does not wait until deliveries flow again. */
  readonly acked: number;
}

/** Each process is killed four times, in an order and at counts that the seed decides. */
function moments(seed: number): Moment[] {
  const random = seeded(seed);
  const between = (low: number, high: number) => low + Math.floor(random() * (high - low));
  return (["sender", "collector", "postgres"] as const)
    .flatMap((victim) => [0, 1, 2, 3].map((n) => ({ victim, order: random(), flowing: n < 3 })))
    .sort((a, b) => a.order - b.order)
    .map(({ victim, flowing }) => ({ victim, promised: between(20, 400), acked: flowing ? between(1, 600) : 0 }));
}

/** Ids that every run of the sender promised. A line that the kill cut off was not promised. */
const promisedIds = (directory: string): string[] =>
  readdirSync(directory)
    .filter((name) => name.startsWith("promised-"))
    .flatMap((name) => readFileSync(path.join(directory, name), "utf8").split("\n").slice(0, -1));

const seed = Number(process.env.LYNCEUS_KILL_SEED ?? 20);

/*
 * Real processes, as in production: the agent's disk outbox and link, the built collector, the embedded PostgreSQL.
 * A promise is an observation that the outbox has synced. Asserted: every promise is a row of `observations`, exactly
 * one, whether it was acknowledged or not when a process was killed. (The page cache outlives a killed process; what a
 * loss of power does is not tested here.)
 */
test(`every promised observation is stored once, whichever process is killed under load (seed ${seed})`, async () => {
  const directory = mkdtempSync(path.join(tmpdir(), "lynceus-kill-"));
  // Run as root, PostgreSQL is another user's, and would keep its files elsewhere if it could not enter.
  chmodSync(directory, 0o755);
  const agentDirectory = path.join(directory, "agent");
  mkdirSync(agentDirectory, { mode: 0o700 });
  const log: string[] = [];
  const port = await quietPort();
  const dataDirectory = path.join(directory, "postgres");
  let postgres: EmbeddedPostgres = await startEmbeddedPostgres({ dataDirectory });
  let collector: Running | null = null;
  let sender: Running | null = null;
  onTestFailed(() => console.error(`the collector said at last:\n${log.slice(-40).join("\n")}`));
  onTestFinished(async () => {
    await sender?.kill();
    await collector?.kill();
    await postgres.stop();
    rmSync(directory, { recursive: true, force: true });
  });

  await migrate(postgres.url);
  const db = wholeFleet(openDatabase({ url: postgres.url, onError: () => {} }));
  const expiresAt = new Date(Date.now() + 3_600_000);
  const { secret } = await createToken(db, { maxUses: 1, expiresAt, createdBy: "test" });
  await db.close();

  const collectorOptions = { databaseUrl: postgres.url, port, directory: path.join(directory, "collector"), log };
  collector = await startCollector(collectorOptions);

  let progress = { promised: 0, acked: 0 };
  let run = 0;
  let check = () => {};
  const start = () => {
    progress = { ...progress, promised: 0 };
    return startSender({
      directory: agentDirectory,
      port,
      secret,
      run: ++run,
      onProgress(promised, acked) {
        progress = { promised, acked };
        check();
      },
      onEnd: () => check(),
    });
  };
  /** Resolves at the line of the sender that makes it true. */
  const until = (reached: () => boolean) =>
    new Promise<void>((resolve, reject) => {
      check = () => {
        if (!sender?.isAlive()) reject(new Error(`run ${run} of the sender ended by itself`));
        else if (reached()) resolve();
      };
      check();
    });

  sender = start();
  const kills: string[] = [];
  for (const { victim, promised, acked } of moments(seed)) {
    const from = progress;
    await until(() => progress.promised >= from.promised + promised && progress.acked >= from.acked + acked);
    check = () => {};
    kills.push(`${victim} at ${progress.promised}/${progress.acked}`);
    if (victim === "sender") {
      await sender.kill();
      sender = start();
    } else if (victim === "collector") {
      await collector.kill();
      collector = await startCollector(collectorOptions);
    } else {
      process.kill(postgres.pid, "SIGKILL");
      postgres = await startEmbeddedPostgres({ dataDirectory });
    }
  }

  // The sender makes nothing more, and ends as soon as its outbox is empty.
  const end = JSON.parse(await sender.finish()) as { epoch: string; lastSeq: number; droppedObservations: number };
  await collector.finish();

  const reading = openDatabase({ url: postgres.url });
  const rows = await reading.prisma.$queryRaw<{ machine: string; epoch: string; seq: number; id: string }[]>`
    SELECT machine_id AS machine, epoch, seq::int, facts->>'id' AS id FROM observations`.finally(() => reading.close());

  const promised = promisedIds(agentDirectory);
  const stored = new Set(rows.map((row) => row.id));
  const places = rows.map(({ machine, epoch, seq }) => `${machine} ${epoch} ${seq}`);
  console.info(`${promised.length} promised, ${rows.length} stored; killed: ${kills.join(", ")}`);
  expect(promised.filter((id) => !stored.has(id))).toEqual([]);
  expect(rows.length - new Set(places).size).toBe(0);
  // Nor under another number: what was sent again was taken for what it was.
  expect(rows.length - stored.size).toBe(0);
  expect(new Set(rows.map((row) => row.epoch))).toEqual(new Set([end.epoch]));
  expect(end.droppedObservations).toBe(0);
  // Beyond the promises there is at most what each killed sender had synced and not yet written down.
  expect(rows.length).toBeLessThanOrEqual(promised.length + 4 * 4);
  expect(promised.length).toBeGreaterThan(1000);
}, 180_000);
