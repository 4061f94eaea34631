import type { Server as HttpsServer } from "node:https";
import type { AddressInfo } from "node:net";
import type { Database } from "@lynceus/db/client";
import { setCloned } from "@lynceus/db/identity";
import { installationId } from "@lynceus/db/installation";
import { clearConnected, countMachines } from "@lynceus/db/machines";
import { listen } from "@lynceus/db/notify";
import { ensurePartitions } from "@lynceus/db/partitions";
import { noteStartedRetention } from "@lynceus/db/retention";
import { wholeFleet } from "@lynceus/db/scope";
import { getSetting, setSetting } from "@lynceus/db/settings";
import { listSiteSubnets, siteFinder } from "@lynceus/db/sites";
import { shortTextOf } from "@lynceus/diagnosis/texts";
import type { KeyRing } from "@lynceus/notify/key-ring";
import type { Reach } from "@lynceus/protocol/receivers";
import { asTrace } from "@lynceus/telemetry/spans";
import type { Logger } from "pino";
import { createApp } from "./api/app.ts";
import { createAttribution } from "./attribution.ts";
import { createCanaries } from "./canary/canaries.ts";
import { coalesce } from "./coalesce.ts";
import { createCommands } from "./commands.ts";
import type { CollectorConfig } from "./config.ts";
import { createEventStream } from "./event-stream.ts";
import { type Affected, createFleet } from "./fleet.ts";
import { createChangeNotices } from "./incidents/changes.ts";
import { createDeliveries } from "./incidents/deliver.ts";
import { createHeartbeat } from "./incidents/heartbeat.ts";
import { createIncidents } from "./incidents/turn.ts";
import { createIngest } from "./ingest/ingest.ts";
import { createTargetTally } from "./ingest/target-tally.ts";
import { type Jobs, prepareJobs, startJobs } from "./jobs.ts";
import { acceptAgents, agentPath } from "./link/accept.ts";
import { createConnections } from "./link/connections.ts";
import { createDirectory } from "./link/directory.ts";
import { createSessions } from "./link/session.ts";
import { routeUpgrades } from "./link/upgrades.ts";
import { createLiveFeed } from "./live-feed.ts";
import { createMetrics } from "./metrics/metrics.ts";
import { createReadings } from "./metrics/readings.ts";
import { createPolicyService } from "./policy.ts";
import { createReports } from "./reports.ts";
import type { SiteMap } from "./sites.ts";
import { createSweeps } from "./sweep.ts";
import type { TlsMaterial } from "./tls.ts";
import { within } from "./within.ts";
import { createWork } from "./work.ts";

export interface CollectorOptions {
  readonly db: Database;
  /** Stable name of this collector among those of one database. */
  readonly id: string;
  readonly host: string;
  /** 0 = any free one. */
  readonly port: number;
  /** Null: plain text, which main.ts allows on loopback alone. */
  readonly tls: TlsMaterial | null;
  /** What enrolment tokens name, such as `wss://collector.example.org:7443`; null = where it listens. */
  readonly publicUrl: string | null;
  /** Where people open the dashboard, for links of notices and of the API; absent or null: as it said itself. */
  readonly dashboardUrl?: string | null;
  readonly config: CollectorConfig;
  readonly version: string;
  readonly now: () => number;
  readonly monotonic: () => number;
  readonly random: () => number;
  readonly log: Logger;
  /** Addresses that a proposed proxy script is not fetched from; those of this machine and its link when absent. */
  readonly refusesAddress?: (address: string) => boolean;
  /** Whether `/metrics` needs no token; it does when absent. */
  readonly openMetrics?: boolean;
  /** They open receivers' secrets and sign links. */
  readonly keys: KeyRing;
  /** What every receiver of notices may reach beside what it says itself; for tests. */
  readonly receiversReach?: Reach;
  /** For tests: called between the steps of a turn over the incidents, and of a delivery. */
  readonly onStep?: (step: string) => void | Promise<void>;
  /** Whether the shared timers and the singleton jobs run; a test may drive them itself. */
  readonly timers: boolean;
}

/** Where clients of the API watch. */
const livePath = "/api/v1/live";
/** How long a stop waits for the database and for agents to hang up. */
const stopMs = 10_000;
/** How long it waits for requests that are being answered. */
const requestsMs = 2_000;

/** Starts a collector. It listens when this resolves. */
export async function startCollector(options: CollectorOptions) {
  const { db, id, config, now, monotonic, log, tls } = options;
  const metrics = createMetrics({ version: options.version, topSites: config.metricsSites });
  metrics.certificateEnds.set(tls ? tls.notAfter / 1000 : 0);
  let stopping = false;
  let listening = "";
  let siteOf: SiteMap = () => null;

  const connections = createConnections({
    config,
    metrics,
    monotonic,
    random: options.random,
    onClone: (machineId) => {
      log.warn({ machineId }, "two machines use one key");
      // The timeline first: once the column is set, the clone is known and no news.
      ingest.noteClone(machineId);
      ingest
        .idle()
        .then(() => setCloned(db, machineId, new Date(now())))
        .catch((error) => log.error({ err: error }, "cannot note a clone"));
    },
  });
  const policy = createPolicyService({ db, config, connections });
  const fleet = createFleet(db);
  const attribution = createAttribution({ db, collectorId: id, now });
  const targetTally = createTargetTally({ db, now, policyOf: policy.of });
  const installation = await installationId(db);
  let dashboardUrl = options.dashboardUrl ?? "http://localhost:3000";
  const step = options.onStep ? { onStep: options.onStep } : {};
  const reach = options.receiversReach ? { reach: options.receiversReach } : {};
  const incidents = createIncidents({
    db,
    collectorId: id,
    policy: () => policy.current,
    leaseMs: config.incidentLease,
    now,
    log,
    dashboardUrl: () => dashboardUrl,
    installation,
    textsOf: shortTextOf,
    ...step,
  });
  const deliveries = createDeliveries({
    db,
    collectorId: id,
    keys: options.keys,
    dashboardUrl: () => dashboardUrl,
    now,
    random: options.random,
    metrics,
    log,
    ...reach,
    ...step,
  });
  const changeNotices = createChangeNotices({ db, now, installation, dashboardUrl: () => dashboardUrl });
  const heartbeat = createHeartbeat({ db, keys: options.keys, now, log, ...reach });
  const ingest = createIngest({
    db,
    collectorId: id,
    config,
    connections,
    metrics,
    log,
    now,
    context: () => ({ policyOf: policy.of, siteOf, fleet: fleet.context, reports: reports.of }),
    onWritten: fleet.noteChange,
    onProbes: targetTally.count,
  });
  const directory = createDirectory({ db, collectorId: id, now });
  const commands = createCommands({ db, connections, log, now, flush: ingest.flush });
  const canaries = createCanaries({
    db,
    collectorId: id,
    policy: () => policy.current,
    now,
    log,
    ...(options.refusesAddress ? { refusesAddress: options.refusesAddress } : {}),
  });
  const work = createWork({
    db,
    policy: () => policy.current,
    canaries,
    requestsPerSecond: config.turnRequestsPerSecond,
    now,
    log,
  });
  const reports = createReports({ db, now });
  const liveFeed = createLiveFeed({
    db,
    config,
    metrics,
    log,
    version: options.version,
    now,
    monotonic,
    stopping: () => stopping,
  });
  const events = createEventStream({ db, config, metrics, now });
  const sessions = createSessions({
    metrics,
    connections,
    queue: ingest.queue,
    directory,
    policy,
    now,
    onProgress: commands.progress,
    onCanaryResult: canaries.answer,
    onWelcome: (machineId) => {
      // What another collector did meanwhile is on disk; what only we know is not lost.
      if (ingest.memory.get(machineId)?.dirtySince === null) ingest.memory.delete(machineId);
      commands.ask([machineId]);
    },
    onError: (error, machineId) => log.warn({ err: error, machineId }, "a machine could not be looked up"),
  });

  const shutOut = (machineId: string) => {
    directory.noteRevoked(machineId);
    attribution.forget(machineId);
    incidents.forget(machineId);
    connections.cut(machineId, "revoked", "this machine was revoked by an admin");
    ingest.memory.delete(machineId);
  };
  /** A machine was approved; without an id, any may have been. */
  const letIn = (machineId: string) => {
    ingest.forgetWaiting();
    if (machineId && connections.open.has(machineId)) ingest.judge([machineId]);
  };
  const readPolicy = coalesce(policy.refresh, (error) => log.warn({ err: error }, "the policy cannot be read now"));
  const readRevoked = coalesce(
    async () => {
      for (const machineId of await directory.revokedAmong([...connections.open.keys()])) shutOut(machineId);
    },
    (error) => log.warn({ err: error }, "revocations cannot be read now"),
  );
  const readReports = coalesce(
    async () => {
      const changed = await reports.refresh();
      ingest.judge(changed.filter((machineId) => connections.open.has(machineId)));
    },
    (error) => log.warn({ err: error }, "helpdesk reports cannot be read now"),
  );
  const readSites = async () => {
    siteOf = siteFinder(await listSiteSubnets(wholeFleet(db)));
  };
  /** Where the dashboard said that people open it, unless we were told. */
  const readDashboard = async () => {
    if (options.dashboardUrl) return;
    const { url } = ((await getSetting(db, "dashboard")) ?? {}) as { url?: unknown };
    if (typeof url === "string" && URL.canParse(url)) dashboardUrl = url.replace(/\/+$/, "");
  };
  const readFleetSize = async () => {
    const counts = await countMachines(wholeFleet(db));
    await policy.setFleetSize(counts.healthy + counts.failing + counts.stale + counts.cannotTell + counts.signedOff);
  };

  /** Machines here that an edge of the fleet touches, judged in batches, each after the one before. */
  async function judge(affected: readonly Affected[]): Promise<void> {
    const touched = [...connections.open.keys()].filter((machineId) => {
      const entry = ingest.memory.get(machineId);
      if (!entry) return true;
      const location = entry.state.facts.system?.location ?? "unknown";
      return affected.some((edge) => edge.location === location && (edge.sites?.has(entry.site) ?? true));
    });
    await judgeAll(touched);
  }

  async function judgeAll(machineIds: readonly string[]): Promise<void> {
    for (let start = 0; start < machineIds.length && !stopping; start += config.fleetBatch) {
      ingest.judge(machineIds.slice(start, start + config.fleetBatch));
      await ingest.idle();
    }
  }

  const readings = createReadings({
    db,
    metrics,
    connections,
    leading: () => attribution.leading,
    monotonic,
  });
  const app = await createApp({
    db,
    now,
    config,
    metrics,
    tls,
    log,
    version: options.version,
    dashboardUrl: options.dashboardUrl ?? null,
    policy: () => policy.current,
    keys: options.keys,
    installation,
    events,
    pin: tls?.pin ?? null,
    openMetrics: options.openMetrics ?? false,
    agentUrl: () => options.publicUrl ?? listening,
    readiness: async () => {
      if (stopping) return "stopping";
      return (await readings.answers(3_000)) ? null : "the database does not answer";
    },
    onScrape: readings.onScrape,
  });

  // One setting for both kinds of traffic: a port that cannot be had fails the start before anything else is done.
  await ensurePartitions(db, new Date(now()));
  await clearConnected(db, id);
  await prepareJobs(db.url);
  await policy.refresh();
  await readSites();
  await readDashboard();
  await deliveries.takeUp();
  await reports.refresh();
  await readFleetSize();
  await readings.everyMinute();
  const sockets = acceptAgents({
    config,
    metrics,
    connections,
    monotonic,
    now,
    version: options.version,
    onMessage: sessions.onMessage,
    onClose: sessions.onClose,
    stopping: () => stopping,
  });
  routeUpgrades(app.server, { [agentPath]: sockets.upgrade, [livePath]: liveFeed.upgrade });
  const listener = listen(
    db.url,
    ({ channel, payload }) => {
      if (channel === "lynceus") {
        fleet.noteChange();
        incidents.note();
        liveFeed.noteChange();
        events.noteChange();
      } else if (channel === "lynceus_policy") readPolicy.ask();
      else if (channel === "lynceus_command") commands.ask(payload ? [payload] : connections.open.keys());
      else if (channel === "lynceus_approve") letIn(payload);
      else if (channel === "lynceus_work") work.note();
      else if (channel === "lynceus_report") readReports.ask();
      else if (payload) shutOut(payload);
      else readRevoked.ask();
    },
    { onError: (error) => log.warn({ err: error }, "notifications are interrupted") },
  );
  await listener.ready;

  await app.listen({ host: options.host, port: options.port });
  const { port } = app.server.address() as AddressInfo;
  const shownHost = options.host === "0.0.0.0" || options.host === "::" ? "localhost" : options.host;
  listening = `${tls ? "wss" : "ws"}://${shownHost.includes(":") ? `[${shownHost}]` : shownHost}:${port}`;
  await setSetting(db, "collector", { url: options.publicUrl ?? listening, pin: tls?.pin ?? null });
  await noteStartedRetention(db, config.retentionDays);

  const sweeps = createSweeps({ db, config, cycleMinutes: () => policy.cycleMinutes });
  const safely = (what: string, work: () => Promise<unknown>) =>
    coalesce(
      async () => {
        await asTrace(what, {}, work);
      },
      (error) => log.warn({ err: error }, `${what} failed; it is tried again`),
    );
  const fleetTurn = safely("reading the fleet", async () => {
    const { affected, blind } = await fleet.refresh(now());
    if (affected.length > 0) await judge(affected);
    // Silent machines are connected nowhere: the one that attributes judges them too.
    if (attribution.leading) for (const site of blind) await judgeAll(await fleet.silentMachines(site));
  });
  const attributionTurn = safely("attributing failures", () => attribution.turn());
  const incidentTurn = safely("deciding about incidents", async () => {
    const end = metrics.incidentTurnSeconds.startTimer();
    const decided = await incidents.turn();
    for (const urgency of ["high", "low"] as const)
      metrics.incidents.set({ urgency }, decided ? incidents.open[urgency] : 0);
    if (!decided) return;
    end();
    await changeNotices.look();
    await heartbeat.beat();
  });
  const noticeTurn = safely("looking for overdue notices", () => deliveries.nudge());
  const connectionsTurn = safely("noting connections", directory.flushConnections);
  const seenTurn = safely("noting last-seen times", async () => {
    const heard = [...connections.heard];
    connections.heard.clear();
    try {
      await directory.flushPolicies();
      await directory.flushSeen(heard);
    } catch (error) {
      for (const machineId of heard) connections.heard.add(machineId);
      throw error;
    }
  });
  const liveTurn = safely("telling watchers", liveFeed.turn);
  const liveHeartbeat = safely("counting for watchers", liveFeed.heartbeat);
  const eventTurn = safely("sending events", events.turn);
  const eventHeartbeat = safely("keeping events alive", events.heartbeat);
  const tallyTurn = safely("writing what targets answered", () => targetTally.flush());
  const figuresTurn = safely("reading figures for /metrics", readings.everyMinute);
  const minuteTurn = safely("reading policy and sites", async () => {
    ingest.forgetWaiting();
    await readSites();
    readReports.ask();
    await policy.refresh();
    await readFleetSize();
    await readDashboard();
  });

  let tick = 0;
  const everySecond = () => {
    tick++;
    connections.sweep(tick);
    ingest.flushDue();
    connectionsTurn.ask();
    work.everySecond();
    if (tick % Math.max(1, Math.round(config.fleetInterval / 1000)) === 0) {
      fleetTurn.ask();
      attributionTurn.ask();
    }
    if (tick % Math.max(1, Math.round(config.incidentInterval / 1000)) === 0) incidentTurn.ask();
    if (tick % Math.max(1, Math.round(config.noticeInterval / 1000)) === 0) noticeTurn.ask();
    if (tick % Math.max(1, Math.round(config.lastSeenFlush / 1000)) === 0) seenTurn.ask();
    if (tick % 60 === 0) minuteTurn.ask();
    if (tick % Math.max(1, Math.round(config.liveInterval / 1000)) === 0) liveTurn.ask();
    if (tick % Math.max(1, Math.round(config.liveHeartbeat / 1000)) === 0) liveHeartbeat.ask();
    if (tick % Math.max(1, Math.round(config.eventInterval / 1000)) === 0) eventTurn.ask();
    if (tick % Math.max(1, Math.round(config.eventHeartbeat / 1000)) === 0) eventHeartbeat.ask();
    if (tick % 60 === 0 || targetTally.full) tallyTurn.ask();
    // Not in the same second as the above.
    if (tick % 60 === 30) figuresTurn.ask();
  };
  let timer: NodeJS.Timeout | null = null;
  let jobs: Jobs | null = null;
  if (options.timers) {
    timer = setInterval(everySecond, 1000);
    jobs = await startJobs({
      databaseUrl: db.url,
      sweeps,
      deliveries,
      concurrency: config.deliveries,
      now,
      log,
      onStale: forgetStale,
    });
  }

  /** Machines that were marked stale: their entry in memory still says otherwise. */
  function forgetStale(machineIds: readonly string[]): void {
    for (const machineId of machineIds)
      if (ingest.memory.get(machineId)?.dirtySince === null) ingest.memory.delete(machineId);
  }

  log.info({ listening, pin: tls?.pin ?? null, id }, "listening");

  return {
    /** `wss://host:port`. */
    url: listening,
    port,
    app,
    metrics,
    connections,
    ingest,
    directory,
    commands,
    events,
    policy,
    sweeps,
    incidents,
    deliveries,
    /** The turns of the shared timer, for tests that hold the clock. */
    turns: {
      everySecond,
      fleet: async () => {
        fleetTurn.ask();
        await fleetTurn.idle();
      },
      /** Canaries and verifications, one step. */
      work: async () => {
        work.note();
        await work.idle();
      },
      reports: async () => {
        readReports.ask();
        await readReports.idle();
        await ingest.idle();
      },
      attribution: async () => {
        attributionTurn.ask();
        await attributionTurn.idle();
      },
      incidents: async () => {
        incidents.note();
        incidentTurn.ask();
        await incidentTurn.idle();
      },
      /** Sends what may be sent. */
      deliveries: () => deliveries.all(),
      seen: async () => {
        seenTurn.ask();
        await seenTurn.idle();
      },
      live: async () => {
        liveTurn.ask();
        await liveTurn.idle();
      },
      events: async () => {
        eventTurn.ask();
        await eventTurn.idle();
      },
      eventHeartbeat: async () => {
        eventHeartbeat.ask();
        await eventHeartbeat.idle();
      },
      liveHeartbeat: async () => {
        liveHeartbeat.ask();
        await liveHeartbeat.idle();
      },
      tally: async () => {
        tallyTurn.ask();
        await tallyTurn.idle();
      },
      minute: async () => {
        minuteTurn.ask();
        await minuteTurn.idle();
      },
      figures: async () => {
        figuresTurn.ask();
        await figuresTurn.idle();
      },
      /** The minute's singleton job. */
      sweep: async () => {
        const result = await sweeps.minute(now());
        forgetStale(result.stale);
        return result;
      },
    },

    /** Presents a renewed certificate to new connections. */
    setCertificate(material: TlsMaterial): void {
      if (tls) (app.server as unknown as HttpsServer).setSecureContext({ cert: material.cert, key: material.key });
      metrics.certificateEnds.set(material.notAfter / 1000);
    },

    /** Stops in order: nobody new, what waits is stored and acknowledged, agents are told when to come back, all is closed. */
    async stop(): Promise<void> {
      if (stopping) return;
      stopping = true;
      // All waiting has one end: whoever stops us kills after some time, and a database that is gone answers nothing.
      // Each step has a second at least, also where the one before, such as a slow delivery, took all the time.
      const begun = performance.now();
      const waiting = <T>(work: Promise<T>) => within(work, Math.max(1_000, stopMs - (performance.now() - begun)));
      if (timer) clearInterval(timer);
      deliveries.stop();
      await waiting(Promise.resolve(jobs?.stop()));
      await waiting(canaries.stop());
      await waiting(ingest.drain());
      const closed = [...sockets.clients].map(
        (socket) => new Promise<void>((resolve) => socket.once("close", () => resolve())),
      );
      for (const socket of [...connections.handshakes, ...connections.open.values()])
        connections.refuse(socket, "shutting-down", "the collector restarts", connections.jitter(10));
      events.close();
      await within(Promise.all([...closed, liveFeed.close()]), 2_000);
      for (const socket of sockets.clients) socket.terminate();
      await waiting(ingest.drain());
      ingest.stop();
      await waiting(
        Promise.allSettled([
          commands.idle(),
          attributionTurn.idle().then(() => attribution.stop()),
          incidentTurn.idle().then(() => incidents.stop()),
          noticeTurn.idle(),
          tallyTurn.idle().then(() => targetTally.flush()),
          directory.flushSeen(connections.heard),
          directory.flushConnections().then(() => clearConnected(db, id)),
        ]),
      );
      await listener.close();
      liveFeed.terminate();
      sockets.close();
      // Whoever connected and asks nothing would hold the server for ever: no timeout of it ends a connection once it closes.
      const overdue = setTimeout(() => app.server.closeAllConnections(), requestsMs);
      await app.close().finally(() => clearTimeout(overdue));
      log.info("stopped");
    },
  };
}

export type Collector = Awaited<ReturnType<typeof startCollector>>;
