/** Every bound and interval of a collector, with what production uses. Durations are milliseconds unless the name says otherwise. */
export const defaultConfig = {
  /** Most agent connections of one process; above it the upgrade is answered 503. */
  maxConnections: 25_000,
  /** Connections that have not proven who they are yet: the brake on a connect storm. */
  maxHandshakes: 500,
  /** From the accepted upgrade to `welcome` or `enrolled`. */
  handshakeTimeout: 15_000,
  /** A connection that said nothing for this many heartbeats is dead. */
  heartbeatsMissed: 3,
  /** Unsent bytes on one connection before it is cut as too slow. */
  maxBufferedBytes: 1024 * 1024,
  /** Per connection: one unit is a message plus one per 8 KiB of it. Reading stops until the bucket fills again. */
  unitsPerSecond: 1_000,
  unitsBurst: 5_000,
  /** A micro-batch is committed after this long, or when it holds this many observations. */
  batchDelay: 20,
  batchItems: 2_000,
  /** What waits for the database: above `soft` sockets are not read, above `hard` they are turned away. */
  queueSoftItems: 20_000,
  queueSoftBytes: 32 * 1024 * 1024,
  queueHardItems: 60_000,
  queueHardBytes: 96 * 1024 * 1024,
  /** One connection's own share of the queue before it is not read. */
  queueBytesPerConnection: 4 * 1024 * 1024,
  /** Machine states held in memory; more are read from the database when they report. */
  cachedStates: 4_000,
  /** Confirmations wait this long in memory before their state row is written. */
  confirmationFlush: 60_000,
  /** How long a state row may trail behind observations that changed nothing but measurements. Below a minute. */
  stateTrail: 5_000,
  lastSeenFlush: 60_000,
  /** How often the fleet's groups are read while something changes. */
  fleetInterval: 10_000,
  /** How often incidents are looked at while something changes. */
  incidentInterval: 2_000,
  /** The collector that decides about incidents is taken for dead after so long without a turn. */
  incidentLease: 15_000,
  /** How often notices of which nothing became are looked for. */
  noticeInterval: 5_000,
  /** Deliveries of one collector that may be under way at once. */
  deliveries: 8,
  /** Machines judged again per batch after a fleet-wide edge. */
  fleetBatch: 250,
  /** Requests per second to one target host, of the whole fleet (domain 5.0 rule 15, 6.2). */
  requestsPerSecond: 15,
  /** Of them, for probes that people ask for in bulk: canaries and verifications of a fix. */
  turnRequestsPerSecond: 7.5,
  /** Two connections with one key: the older one has this long to show that it lives. */
  rivalTimeout: 5_000,
  retentionDays: 30,
  /** A "check now" that got no answer. */
  commandTimeout: 5 * 60_000,
  /** Sites that have lines of their own in `/metrics`, the largest ones; the others share one. */
  metricsSites: 50,
  /** API requests per token (or address) and minute. */
  apiRequestsPerMinute: 600,
  /** Clients of the live feed of this process, and of one token. */
  maxWatchers: 500,
  maxWatchersPerToken: 100,
  /** The least time between two messages of a kind on the live feed, and so between two counts of the fleet for it. */
  liveInterval: 5_000,
  /** The least time between two looks at what became of incidents, for whoever follows events. */
  eventInterval: 2_000,
  /** So often a client of events hears a sign of life: below what proxies wait, 60 s. */
  eventHeartbeat: 20_000,
  /** At least so often a watcher hears its counts, and its token is looked at again. */
  liveHeartbeat: 60_000,
} as const satisfies Record<string, number>;

export type CollectorConfig = { readonly [K in keyof typeof defaultConfig]: number };
