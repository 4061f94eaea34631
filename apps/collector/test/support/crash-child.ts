/*
 * A collector in a process of its own, for tests that kill it. Reads DATABASE_URL, prints its address, and lives until
 * it is killed.
 */
import { openDatabase } from "@lynceus/db/client";
import { newSecretKey, parseKeyRing } from "@lynceus/notify/key-ring";
import { pino } from "pino";
import { defaultConfig } from "../../src/config.ts";
import { startCollector } from "../../src/server.ts";

const db = openDatabase({ url: process.env.DATABASE_URL ?? "" });
const collector = await startCollector({
  db,
  id: "crash",
  host: "127.0.0.1",
  port: 0,
  tls: null,
  publicUrl: null,
  config: { ...defaultConfig, batchDelay: 2 },
  version: "0.0.0",
  now: () => Date.now(),
  monotonic: () => performance.now(),
  random: Math.random,
  keys: parseKeyRing(newSecretKey()),
  log: pino({ level: "silent" }),
  timers: true,
});
process.stdout.write(`${collector.url}\n`);
