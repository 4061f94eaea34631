import type { Database } from "@lynceus/db/client";
import { currentPolicy, stagedPolicy } from "@lynceus/db/policies";
import { rolloutMachines } from "@lynceus/db/policy-rollout";
import { wholeFleet } from "@lynceus/db/scope";
import type { Policy } from "@lynceus/protocol/policy";
import { buildPolicy } from "@lynceus/protocol/presets";
import type { CollectorConfig } from "./config.ts";
import type { AgentSocket } from "./link/agent-socket.ts";
import type { Connections } from "./link/connections.ts";

/** Before an admin said anything: no target, and the intervals of the presets. */
const noPolicy: Policy = buildPolicy({ ews: [], smtpDomains: [], sipDomains: [] }, 0);

/** Agents told of a change per turn of the event loop, so that a push to the whole fleet blocks nobody. */
const pushChunk = 500;

/**
 * One agent's share of the fleet's request budget (domain 5.0 rule 15): least seconds between two requests to one
 * target host. Never above four fifths of a cycle, since EWS on the configured route is probed each cycle: where the
 * budget is too small for that, the cycle is what has to grow. Rounded up to two digits, so that a growing fleet
 * changes it seldom.
 */
export function minSecondsPerHost(policy: Policy, machines: number, requestsPerSecond: number): number {
  const share = machines / requestsPerSecond;
  const step = 10 ** Math.max(0, Math.floor(Math.log10(Math.max(1, share))) - 1);
  const rounded = share < 1 ? 0 : Math.ceil(share / step) * step;
  return Math.max(policy.minSecondsPerHost, Math.min(rounded, Math.floor(policy.intervals.cycleMinutes * 60 * 0.8)));
}

export interface PolicyOptions {
  readonly db: Database;
  readonly config: CollectorConfig;
  readonly connections: Connections;
}

/** A version that is rolled out in part, and the machines that take part. */
interface Staged {
  readonly policy: Policy;
  readonly takers: ReadonlySet<string>;
}

/** The policy in force, the one that is rolled out in part, and who has to hear of which. */
export function createPolicyService({ db, config, connections }: PolicyOptions) {
  let policy = noPolicy;
  let staged: Staged | null = null;
  let machines = 0;
  /** What is sent, by version. */
  let messages = new Map<number, string>();

  const of = (machineId: string): Policy => (staged?.takers.has(machineId) ? staged.policy : policy);

  /** Writes the messages again; returns the versions of which the message is another than before. */
  const render = (): ReadonlySet<number> => {
    const before = messages;
    messages = new Map();
    for (const each of staged ? [policy, staged.policy] : [policy]) {
      const share = minSecondsPerHost(each, machines, config.requestsPerSecond);
      const sent = { ...each, minSecondsPerHost: share };
      messages.set(each.version, JSON.stringify({ v: 1, type: "policy", policy: sent }));
    }
    connections.setHeartbeat(
      Math.max(policy.intervals.heartbeatSeconds, staged?.policy.intervals.heartbeatSeconds ?? 0),
    );
    return new Set([...messages.keys()].filter((version) => messages.get(version) !== before.get(version)));
  };
  render();

  const tell = (socket: AgentSocket, { version }: Policy): void => {
    const message = messages.get(version);
    if (version > 0 && message !== undefined) connections.send(socket, message);
  };

  /** Tells agents who have another version than before, or whose version's message changed. */
  const pushChanges = async (changed: ReadonlySet<number>, before: (machineId: string) => number): Promise<void> => {
    let count = 0;
    for (const [machineId, socket] of [...connections.open]) {
      const told = of(machineId);
      if (socket.session.phase === "open" && (changed.has(told.version) || before(machineId) !== told.version))
        tell(socket, told);
      if (++count % pushChunk === 0) await new Promise(setImmediate);
    }
  };

  return {
    /** The version that is in force; machines of a roll-out in part have a higher one. */
    get current() {
      return policy;
    },

    /** What a machine is told, and judged by. */
    of,

    /** Longest cycle of any machine, in minutes: what silence is measured by. */
    get cycleMinutes(): number {
      return Math.max(policy.intervals.cycleMinutes, staged?.policy.intervals.cycleMinutes ?? 0);
    },

    /** Sends an agent its policy where it has another version. */
    pushTo(socket: AgentSocket, machineId: string): void {
      const told = of(machineId);
      if (socket.session.policyVersion !== told.version) tell(socket, told);
    },

    /**
     * Reads the policies again and tells every agent when one, or their share of the budget, changed; else those that
     * came to the roll-out or left it.
     */
    async refresh(): Promise<void> {
      const stored = await currentPolicy(db);
      const part = await stagedPolicy(db);
      const takers =
        part?.rollout &&
        new Set(await rolloutMachines(wholeFleet(db), { version: part.version, rollout: part.rollout }));
      const was = { policy, staged };
      const before = (id: string) => (was.staged?.takers.has(id) ? was.staged.policy : was.policy).version;
      if (stored) policy = stored.body;
      staged = part && takers ? { policy: part.body, takers } : null;
      await pushChanges(render(), before);
    },

    /** Machines enrolled: what the request budget is shared among. */
    async setFleetSize(count: number): Promise<void> {
      machines = count;
      const changed = render();
      if (changed.size > 0) await pushChanges(changed, (id) => of(id).version);
    },
  };
}

export type PolicyService = ReturnType<typeof createPolicyService>;
