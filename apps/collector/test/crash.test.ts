import { type ChildProcess, spawn } from "node:child_process";
import { once } from "node:events";
import { createInterface } from "node:readline";
import { fileURLToPath } from "node:url";
import { openDatabase } from "@lynceus/db/client";
import { createToken } from "@lynceus/db/enrollment";
import { type Fleet, wholeFleet } from "@lynceus/db/scope";
import { createTestDatabase } from "@lynceus/db/testing";
import { afterEach, beforeEach, expect, it } from "vitest";
import { newKey, TestAgent, type TestKey } from "./support/agent.ts";
import { confirmation, observation } from "./support/facts.ts";

let database: Awaited<ReturnType<typeof createTestDatabase>>;
let db: Fleet;
let child: ChildProcess | null = null;
beforeEach(async () => {
  database = await createTestDatabase();
  db = wholeFleet(openDatabase({ url: database.url }));
});
afterEach(async () => {
  child?.kill("SIGKILL");
  await db.close();
  await database.drop();
});

/** Starts the collector as a process and gives its address. */
async function startChild(): Promise<string> {
  const script = fileURLToPath(new URL("support/crash-child.ts", import.meta.url));
  const started = spawn(process.execPath, ["--import", "tsx", script], {
    env: { ...process.env, DATABASE_URL: database.url },
    stdio: ["ignore", "pipe", "inherit"],
  });
  child = started;
  const [line] = (await once(createInterface({ input: started.stdout! }), "line")) as [string];
  return line;
}

/** A machine that keeps what is not acknowledged, sends it again after each loss, and remembers what was acknowledged. */
class Machine {
  readonly key: TestKey = newKey();
  machineId = "";
  private agent: TestAgent | null = null;
  readonly epoch = crypto.randomUUID();
  private made = 0;
  acked = 0;

  async enroll(url: string, token: string): Promise<void> {
    const agent = new TestAgent(url);
    this.machineId = (await agent.enroll(this.key, token)).machineId;
    agent.close();
  }

  /** Connects and pushes reports until the connection breaks. */
  async run(url: string, enough: () => boolean): Promise<void> {
    const agent = new TestAgent(url);
    this.agent = agent;
    agent.epoch = this.epoch;
    try {
      const { ackedSeq } = await agent.hello(this.key, this.machineId, { lastSeq: this.made });
      // What was acknowledged once is never taken back.
      expect(ackedSeq).toBeGreaterThanOrEqual(this.acked);
      this.acked = ackedSeq;
      let sent = ackedSeq;
      while (!enough()) {
        const from = sent + 1;
        sent += 5;
        this.made = Math.max(this.made, sent);
        const items = Array.from({ length: 5 }, (_, i) =>
          observation(from + i, "future", `k${(from + i) % 7}`, { n: from + i }),
        );
        // The last of each five is a confirmation of facts nobody has: it counts, and leaves no row.
        agent.report(items.slice(0, 4), [confirmation(sent, "future-key")]);
        await agent.untilAcked(sent);
        this.acked = agent.acked();
      }
    } catch {
      // Killed in the middle: what the agent heard until then counts.
      this.acked = Math.max(this.acked, agent.acked());
    } finally {
      agent.close();
    }
  }

  hangUp(): void {
    this.agent?.close();
  }
}

it("loses no acknowledged observation and stores none twice when it is killed under load, again and again", async () => {
  const { secret } = await createToken(db, {
    maxUses: 100,
    expiresAt: new Date(Date.now() + 3_600_000),
    createdBy: "test",
  });
  let url = await startChild();
  const machines = Array.from({ length: 6 }, () => new Machine());
  for (const machine of machines) await machine.enroll(url, secret);

  for (let round = 0; round < 4; round++) {
    const target = machines.reduce((sum, machine) => sum + machine.acked, 0) + 150 + round * 70;
    const total = () => machines.reduce((sum, machine) => sum + machine.acked, 0);
    const running = machines.map((machine) => machine.run(url, () => false));
    // Killed once enough was acknowledged: batches are under way at that moment.
    await expect.poll(total, { timeout: 30_000, interval: 1 }).toBeGreaterThan(target);
    child!.kill("SIGKILL");
    await Promise.all([once(child!, "exit"), ...running]);
    url = await startChild();
  }
  const end = machines.map((machine) => machine.acked + 25);
  await Promise.all(machines.map((machine, i) => machine.run(url, () => machine.acked >= end[i]!)));

  for (const machine of machines) {
    const rows = await db.prisma.$queryRaw<{ seq: number; n: number }[]>`
      SELECT seq::int, (facts->>'n')::int AS n FROM observations WHERE machine_id = ${machine.machineId}::uuid ORDER BY seq`;
    const stored = rows.map((row) => row.seq);
    expect(new Set(stored).size).toBe(stored.length);
    const expected = Array.from({ length: machine.acked }, (_, i) => i + 1).filter((seq) => seq % 5 !== 0);
    expect(stored.filter((seq) => seq <= machine.acked)).toEqual(expected);
    expect(rows.every((row) => row.n === row.seq)).toBe(true);
  }
}, 120_000);
