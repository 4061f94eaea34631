import { randomUUID } from "node:crypto";
import { openDatabase } from "@lynceus/db/client";
import { createToken } from "@lynceus/db/enrollment";
import { savePolicy } from "@lynceus/db/policies";
import { wholeFleet } from "@lynceus/db/scope";
import { createTestDatabase } from "@lynceus/db/testing";
import { newSecretKey, parseKeyRing } from "@lynceus/notify/key-ring";
import { type FakeClock, fakeClock } from "@lynceus/testkit/clock";
import { pino } from "pino";
import { type CollectorConfig, defaultConfig } from "../../src/config.ts";
import { type Collector, startCollector } from "../../src/server.ts";
import { newKey, TestAgent, type TestKey } from "./agent.ts";
import { testPolicy } from "./facts.ts";

export interface Member {
  readonly key: TestKey;
  readonly machineId: string;
}

/** A database, and a collector on it whose clock only the test moves. */
export async function startTestCollector(
  options: {
    config?: Partial<CollectorConfig>;
    policy?: boolean;
    onStep?: (step: string) => void | Promise<void>;
  } = {},
) {
  const database = await createTestDatabase();
  const db = wholeFleet(openDatabase({ url: database.url }));
  const clock = fakeClock();
  const agents: TestAgent[] = [];
  const others: Collector[] = [];
  if (options.policy !== false)
    await savePolicy(db, { body: testPolicy(1), now: new Date(clock.now()), createdBy: "test" });
  const keys = parseKeyRing(newSecretKey());
  const start = (id: string) =>
    startCollector({
      db,
      id,
      host: "127.0.0.1",
      port: 0,
      tls: null,
      publicUrl: null,
      config: { ...defaultConfig, batchDelay: 1, ...options.config },
      version: "0.0.0",
      now: clock.now,
      monotonic: clock.monotonic,
      random: () => 0.5,
      log: pino({ level: process.env.LYNCEUS_TEST_LOG ?? "silent" }),
      timers: false,
      // The servers of tests are on loopback.
      refusesAddress: () => false,
      receiversReach: "loopback",
      keys,
      ...(options.onStep && { onStep: options.onStep }),
    });
  const collector = await start("c1");

  const token = async (change: Partial<Parameters<typeof createToken>[1]> = {}) =>
    (
      await createToken(db, {
        maxUses: 100,
        expiresAt: new Date(clock.now() + 3_600_000),
        createdBy: "test",
        ...change,
      })
    ).secret;

  const connect = (where: Collector = collector, settings?: ConstructorParameters<typeof TestAgent>[1]) => {
    const agent = new TestAgent(where.url, settings);
    agents.push(agent);
    return agent;
  };

  return {
    db,
    clock: clock as FakeClock,
    collector,
    token,
    keys,
    connect,
    url: database.url,

    async startAnother(id: string): Promise<Collector> {
      const other = await start(id);
      others.push(other);
      return other;
    },

    /** A machine that is enrolled, not connected. */
    async enroll(change: Record<string, unknown> = {}, tokenChange = {}): Promise<Member> {
      const key = newKey();
      const agent = connect();
      const { machineId } = await agent.enroll(key, await token(tokenChange), change);
      agent.close();
      return { key, machineId };
    },

    /** A connected, welcomed agent of a machine. */
    async join(member: Member, change: Record<string, unknown> = {}, where?: Collector): Promise<TestAgent> {
      const agent = connect(where);
      if (typeof change.epoch === "string") agent.epoch = change.epoch;
      if (typeof change.bootId === "string") agent.bootId = change.bootId;
      await agent.hello(member.key, member.machineId, change);
      return agent;
    },

    /** Rows of a table of this database, by SQL. */
    rows: <T = Record<string, unknown>>(sql: string, ...values: unknown[]) =>
      db.prisma.$queryRawUnsafe<T[]>(sql, ...values),

    async stop(): Promise<void> {
      for (const agent of agents) agent.close();
      for (const other of others) await other.stop();
      await collector.stop();
      await db.close();
      await database.drop();
    },
  };
}

export type TestCollector = Awaited<ReturnType<typeof startTestCollector>>;
export const unknownId = (): string => randomUUID();
