import { Counter, collectDefaultMetrics, Gauge, Histogram, Registry } from "prom-client";

/** What `/metrics` shows. Names are API: add, never rename. */
export function createMetrics() {
  const registry = new Registry();
  collectDefaultMetrics({ register: registry });
  const registers = [registry];
  return {
    registry,
    connections: new Gauge({ name: "lynceus_connections", help: "Agents connected and welcomed.", registers }),
    handshakes: new Gauge({
      name: "lynceus_handshakes",
      help: "Connections that have not proven who they are.",
      registers,
    }),
    rejected: new Counter({
      name: "lynceus_rejected_total",
      help: "Connections refused or cut, by reason.",
      labelNames: ["reason"] as const,
      registers,
    }),
    messages: new Counter({
      name: "lynceus_messages_total",
      help: "Messages of agents, by type.",
      labelNames: ["type"] as const,
      registers,
    }),
    observations: new Counter({
      name: "lynceus_observations_total",
      help: "Observations on disk, by kind.",
      labelNames: ["kind"] as const,
      registers,
    }),
    confirmations: new Counter({
      name: "lynceus_confirmations_total",
      help: "Unchanged facts that were confirmed.",
      registers,
    }),
    duplicates: new Counter({
      name: "lynceus_duplicates_total",
      help: "Observations sent again after they were on disk, and dropped.",
      registers,
    }),
    acks: new Counter({ name: "lynceus_acks_total", help: "Acknowledgements sent.", registers }),
    quarantined: new Counter({
      name: "lynceus_quarantined_total",
      help: "Observations the database refused.",
      registers,
    }),
    conflicts: new Counter({
      name: "lynceus_conflicts_total",
      help: "Machines that another collector had moved on.",
      registers,
    }),
    queueItems: new Gauge({ name: "lynceus_queue_items", help: "Observations that wait for the database.", registers }),
    queueBytes: new Gauge({ name: "lynceus_queue_bytes", help: "Bytes that wait for the database.", registers }),
    pausedSockets: new Gauge({
      name: "lynceus_paused_sockets",
      help: "Connections that are not read at present.",
      registers,
    }),
    batchItems: new Histogram({
      name: "lynceus_batch_items",
      help: "Observations and confirmations per batch.",
      buckets: [1, 5, 20, 100, 500, 1000, 2000],
      registers,
    }),
    commitSeconds: new Histogram({
      name: "lynceus_commit_seconds",
      help: "Time of one batch in the database.",
      buckets: [0.001, 0.003, 0.01, 0.03, 0.1, 0.3, 1, 3, 10],
      registers,
    }),
    commitFailures: new Counter({
      name: "lynceus_commit_failures_total",
      help: "Batches that failed and were tried again.",
      registers,
    }),
    watchers: new Gauge({ name: "lynceus_watchers", help: "Clients of the live feed.", registers }),
    cachedStates: new Gauge({ name: "lynceus_cached_states", help: "Machine states in memory.", registers }),
    machines: new Gauge({
      name: "lynceus_machines",
      help: "Machines by status; at-risk machines are healthy ones as well.",
      labelNames: ["status"] as const,
      registers,
    }),
  };
}

export type Metrics = ReturnType<typeof createMetrics>;
