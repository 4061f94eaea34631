import type { Database } from "@lynceus/db/client";
import { currentPolicy } from "@lynceus/db/policies";
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

/** The policy in force, and who has to hear of it. */
export function createPolicyService({ db, config, connections }: PolicyOptions) {
  let policy = noPolicy;
  let machines = 0;
  let message = "";

  const render = () => {
    const share = minSecondsPerHost(policy, machines, config.requestsPerSecond);
    const next = JSON.stringify({ v: 1, type: "policy", policy: { ...policy, minSecondsPerHost: share } });
    const changed = next !== message;
    message = next;
    connections.setHeartbeat(policy.intervals.heartbeatSeconds);
    return changed;
  };
  render();

  const pushToAll = async () => {
    let count = 0;
    for (const socket of [...connections.open.values()]) {
      if (policy.version > 0 && socket.session.phase === "open") connections.send(socket, message);
      if (++count % pushChunk === 0) await new Promise(setImmediate);
    }
  };

  return {
    get version() {
      return policy.version;
    },
    get current() {
      return policy;
    },

    /** Sends the policy to an agent that has another version. */
    pushTo(socket: AgentSocket): void {
      if (policy.version > 0 && socket.session.policyVersion !== policy.version) connections.send(socket, message);
    },

    /** Reads the policy again and tells every agent when it, or their share of the budget, changed. */
    async refresh(): Promise<void> {
      const stored = await currentPolicy(db);
      if (stored) policy = stored.body;
      if (render()) await pushToAll();
    },

    /** Machines enrolled: what the request budget is shared among. */
    async setFleetSize(count: number): Promise<void> {
      machines = count;
      if (render()) await pushToAll();
    },
  };
}

export type PolicyService = ReturnType<typeof createPolicyService>;
