import { Counter, collectDefaultMetrics, Gauge, Histogram, type OpenMetricsContentType, Registry } from "prom-client";
import { createFleetGauges } from "./fleet-gauges.ts";

export interface MetricsOptions {
  readonly version: string;
  /** Sites with lines of their own. */
  readonly topSites: number;
}

/** What `/metrics` shows, as OpenMetrics 1.0. Names are API: add, never rename. */
export function createMetrics({ version, topSites }: MetricsOptions) {
  // One format: prom-client takes "_total" from a counter's name for good once it has written OpenMetrics.
  const registry = new Registry<OpenMetricsContentType>();
  registry.setContentType(Registry.OPENMETRICS_CONTENT_TYPE);
  collectDefaultMetrics({ register: registry });
  const registers = [registry];
  const metrics = {
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
    eventWatchers: new Gauge({ name: "lynceus_event_watchers", help: "Clients of /events.", registers }),
    watchers: new Gauge({ name: "lynceus_watchers", help: "Clients of the live feed.", registers }),
    notices: new Counter({
      name: "lynceus_notices_total",
      help: "Tries to deliver a notice, by what became of them and the receiver's type.",
      labelNames: ["outcome", "type"] as const,
      registers,
    }),
    noticesWaiting: new Gauge({
      name: "lynceus_notices_waiting",
      help: "Notices of all collectors that are not delivered yet; counted each minute.",
      registers,
    }),
    noticesWaitingSince: new Gauge({
      name: "lynceus_notices_waiting_since_timestamp_seconds",
      help: "Since when the oldest of them waits; 0 where none does.",
      registers,
    }),
    noticesDead: new Gauge({
      name: "lynceus_notices_dead",
      help: "Notices that were given up and are kept; counted each minute.",
      registers,
    }),
    incidents: new Gauge({
      name: "lynceus_incidents_open",
      help: "Open incidents of real machines by urgency, as the collector that leads has them.",
      labelNames: ["urgency"] as const,
      registers,
    }),
    incidentTurnSeconds: new Histogram({
      name: "lynceus_incident_turn_seconds",
      help: "Time of one turn over the incidents.",
      buckets: [0.003, 0.01, 0.03, 0.1, 0.3, 1, 3, 10],
      registers,
    }),
    cachedStates: new Gauge({ name: "lynceus_cached_states", help: "Machine states in memory.", registers }),
    fleet: createFleetGauges(registry, { topSites }),
    attributionLeader: new Gauge({
      name: "lynceus_attribution_leader",
      help: "1 where this collector is the one of all that attributes failures.",
      registers,
    }),
    httpSeconds: new Histogram({
      name: "lynceus_http_request_seconds",
      help: "Time of API requests, by method, route and class of the answer's status.",
      labelNames: ["method", "route", "status"] as const,
      buckets: [0.005, 0.02, 0.05, 0.2, 1, 5],
      registers,
    }),
    databaseUp: new Gauge({
      name: "lynceus_database_up",
      help: "1 where the database answered within a second when this was asked for.",
      registers,
    }),
    databaseAnswerSeconds: new Gauge({
      name: "lynceus_database_answer_seconds",
      help: "How long the database took to answer then.",
      registers,
    }),
    databasePool: new Gauge({
      name: "lynceus_database_pool_connections",
      help: "Connections to the database, in use or idle, and requests that wait for one.",
      labelNames: ["state"] as const,
      registers,
    }),
    databaseBytes: new Gauge({
      name: "lynceus_database_bytes",
      help: "Size of the database on its disk, measured each minute.",
      registers,
    }),
    jobs: new Gauge({
      name: "lynceus_jobs",
      help: "Jobs of all collectors that are due, by whether they have failed before or are given up; counted each minute.",
      labelNames: ["state"] as const,
      registers,
    }),
    certificateEnds: new Gauge({
      name: "lynceus_certificate_expiry_timestamp_seconds",
      help: "When the certificate that agents see ends.",
      registers,
    }),
    build: new Gauge({
      name: "lynceus_build_info",
      help: "Always 1; the version of the collector and of Node.",
      labelNames: ["version", "node"] as const,
      registers,
    }),
  };
  metrics.build.set({ version, node: process.version }, 1);
  return metrics;
}

export type Metrics = ReturnType<typeof createMetrics>;
