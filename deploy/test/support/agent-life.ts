import path from "node:path";
import { setTimeout as delay } from "node:timers/promises";
import { createCommand } from "@lynceus/db/commands";
import { createToken } from "@lynceus/db/enrollment";
import { wholeFleet } from "@lynceus/db/scope";
import type { RunningCollector } from "./collector.ts";
import { type Program, root, startProgram } from "./program.ts";

/** The agent as it is built of this state of the repository. */
export const builtAgent = path.join(root, "apps/agent/dist/main.js");

/** What the collector has stored of the only machine of a test. */
export interface StoredMachine {
  readonly id: string;
  readonly connected: boolean;
  readonly status: string;
  readonly verdict: string | null;
}
export interface StoredObservation {
  readonly epoch: string;
  readonly seq: number;
  readonly kind: string;
  readonly key: string;
  readonly verdict: string | null;
  /** Of a kind or shape that this collector does not know. */
  readonly raw: boolean;
}

/** What stands in the database, asked again until it is as is wanted. @throws with what it was when it never came. */
export async function until<T>(what: string, look: () => Promise<T>, wanted: (now: T) => boolean): Promise<T> {
  const end = Date.now() + 90_000;
  for (;;) {
    const now = await look();
    if (wanted(now)) return now;
    if (Date.now() > end) throw new Error(`${what} never came; the last was ${JSON.stringify(now).slice(0, 2_000)}`);
    await delay(100);
  }
}

/** Follows what a collector stores of a machine, by its name or its id, and asks it to check. */
export function lifeOf(collector: RunningCollector, machine: { readonly hostname: string } | { readonly id: string }) {
  const { prisma } = collector.db;
  const hostname = "hostname" in machine ? machine.hostname : null;
  const ours = "id" in machine ? machine.id : null;
  const machines = () => prisma.$queryRaw<StoredMachine[]>`
    SELECT id::text, connected_to IS NOT NULL AS connected, status, verdict_configured AS verdict
    FROM machines WHERE hostname = ${hostname} OR id = ${ours}::uuid`;
  const observations = () => prisma.$queryRaw<StoredObservation[]>`
    SELECT o.epoch::text, o.seq::int, o.kind, o.key, o.verdict, o.raw
    FROM observations o JOIN machines m ON m.id = o.machine_id WHERE m.hostname = ${hostname} OR m.id = ${ours}::uuid ORDER BY o.received_at, o.seq`;
  const untilMachine = async (what: string, wanted: (machine: StoredMachine) => boolean): Promise<StoredMachine> => {
    const [machine] = await until(what, machines, ([first]) => first !== undefined && wanted(first));
    return machine as StoredMachine;
  };
  return {
    machines,
    observations,
    untilMachine,
    /** Asks for a check; `done` once the agent says that it is. */
    async check(): Promise<{ done(): Promise<unknown> }> {
      const { id } = await untilMachine("a connection", ({ connected }) => connected);
      const asked = await createCommand(wholeFleet(collector.db), {
        machineId: id,
        createdBy: "test",
        now: new Date(),
      });
      const state = () => prisma.command.findUnique({ where: { id: asked?.id ?? "" }, select: { state: true } });
      return { done: () => until("the end of a check", state, (row) => row?.state === "done") };
    },
    /** `dataDir` alone goes on with what is there; `url` enrols by it. */
    async start(program: string, dataDir: string, env: Record<string, string>, enrol?: Enrolment): Promise<Program> {
      const enrolling = enrol
        ? [...enrol.options, "--hostname", hostname ?? "", "--token", await tokenOf(collector, enrol.url)]
        : [];
      return startProgram(process.execPath, [program, "run", "--data-dir", dataDir, ...enrolling], { env });
    },
  };
}

export interface Enrolment {
  /** Where the agent is to connect. */
  readonly url: string;
  readonly options: readonly string[];
}

async function tokenOf(collector: RunningCollector, url: string): Promise<string> {
  const { secret } = await createToken(wholeFleet(collector.db), {
    maxUses: 1,
    expiresAt: new Date(Date.now() + 3_600_000),
    createdBy: "test",
  });
  return `lyn1.${Buffer.from(JSON.stringify({ u: url, s: secret, p: null })).toString("base64url")}`;
}
