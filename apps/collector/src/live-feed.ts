import type { IncomingMessage } from "node:http";
import type { Duplex } from "node:stream";
import { type ApiTokenRow, tokensInForce } from "@lynceus/db/api-tokens";
import type { Database } from "@lynceus/db/client";
import { readSamples } from "@lynceus/db/samples";
import { type Access, allows } from "@lynceus/protocol/access";
import { type CountQuery, countsNow, type FleetSample } from "@lynceus/protocol/counts";
import { type LiveMessage, liveCloseCodes, liveLimits, liveRequestSchema } from "@lynceus/protocol/live";
import { sitesInView } from "@lynceus/protocol/series";
import type { Logger } from "pino";
import { type RawData, type WebSocket, WebSocketServer } from "ws";
import { callerOf } from "./api/auth.ts";
import type { CollectorConfig } from "./config.ts";
import { refuseUpgrade, type Upgrade } from "./link/upgrades.ts";
import { memo } from "./memo.ts";
import type { Metrics } from "./metrics/metrics.ts";

/** Messages that one client may send between two heartbeats. */
const mostMessages = 300;
/** Unsent bytes before a client is cut as too slow. */
const mostBuffered = 1024 * 1024;
/** The counts take at most this share of the database's time, however large the fleet is. */
const costShare = 1 / 20;

interface Subscription {
  readonly query: CountQuery;
  /** Those that are counted; null: the fleet as a whole. */
  readonly sites: readonly string[] | null;
  /** What was sent last, without its moment. */
  sent: string | null;
}

/** One client. */
interface Watcher {
  readonly socket: WebSocket;
  readonly token: ApiTokenRow;
  readonly access: Access;
  readonly subscriptions: Map<string, Subscription>;
  /** Answered since the last heartbeat. */
  alive: boolean;
  messages: number;
}

interface Moment {
  readonly at: number;
  readonly samples: ReadonlyMap<string, FleetSample>;
}

export interface LiveFeedOptions {
  readonly db: Database;
  readonly config: CollectorConfig;
  readonly metrics: Metrics;
  readonly log: Logger;
  readonly version: string;
  readonly now: () => number;
  readonly monotonic: () => number;
  readonly stopping: () => boolean;
}

/**
 * The live feed (protocol `live.ts`): counts that change reach whoever asked for them, at most once an interval. One read
 * of the fleet serves all watchers, and none is made where nobody watches or nothing changed.
 */
export function createLiveFeed(options: LiveFeedOptions) {
  const { db, config, metrics, log, now, monotonic } = options;
  const watchers = new Set<Watcher>();
  const sockets = new WebSocketServer({
    noServer: true,
    maxPayload: liveLimits.messageBytes,
    perMessageDeflate: false,
    clientTracking: false,
  });
  let changed = false;
  /** No counts are read before this moment. */
  let restUntil = 0;

  async function read(routes: boolean): Promise<Moment> {
    const began = monotonic();
    const samples = await readSamples(db, { routes });
    const ended = monotonic();
    restUntil = ended + (ended - began) / costShare;
    return { at: now(), samples };
  }
  const recent = memo<Moment>({ maxAgeMs: config.liveInterval * 0.8, most: 2, now });
  /** The fleet of now. Routes are looked up on the machines themselves, and only where somebody asks for them. */
  const moment = ({ by, proxy }: Pick<CountQuery, "by" | "proxy">) => {
    const routes = by === "proxy" || proxy !== undefined;
    return recent(String(routes), () => read(routes));
  };

  const send = (watcher: Watcher, message: LiveMessage): void => {
    const { socket } = watcher;
    if (socket.readyState !== socket.OPEN) return;
    if (socket.bufferedAmount > mostBuffered) {
      socket.close(liveCloseCodes.slow, "reads too slowly");
      socket.terminate();
      return;
    }
    socket.send(JSON.stringify(message));
  };
  const refuse = (watcher: Watcher, id: string | null, code: string, message: string) =>
    send(watcher, { type: "error", id, code, message });

  function sendCounts(
    watcher: Watcher,
    id: string,
    subscription: Subscription,
    { at, samples }: Moment,
    always: boolean,
  ) {
    const counts = countsNow(samples, subscription.query, subscription.sites);
    const text = JSON.stringify(counts);
    if (!always && text === subscription.sent) return;
    subscription.sent = text;
    const series = counts.series.map(({ labels, value }) => ({ labels: { ...labels }, value }));
    send(watcher, { type: "counts", id, at: new Date(at).toISOString(), series, left: counts.left });
  }

  const idOf = (data: unknown): string | null => {
    const id = (data as { id?: unknown } | null)?.id;
    return typeof id === "string" ? id.slice(0, liveLimits.idChars) : null;
  };

  async function onMessage(watcher: Watcher, text: string): Promise<void> {
    let data: unknown;
    try {
      data = JSON.parse(text);
    } catch {
      return refuse(watcher, null, "invalid", 'a message is JSON, e.g. {"type":"subscribe","id":"a","counts":{}}');
    }
    const parsed = liveRequestSchema.safeParse(data);
    if (!parsed.success) {
      const [issue] = parsed.error.issues;
      return refuse(watcher, idOf(data), "invalid", `${issue?.path.join(".") || "message"}: ${issue?.message}`);
    }
    const request = parsed.data;
    const { subscriptions } = watcher;
    if (request.type === "unsubscribe") {
      subscriptions.delete(request.id);
      return;
    }
    if (!subscriptions.has(request.id) && subscriptions.size >= liveLimits.subscriptions)
      return refuse(watcher, request.id, "too-many", `at most ${liveLimits.subscriptions} subscriptions a connection`);
    const { sites, problem } = sitesInView(watcher.access, request.counts.site);
    if (problem !== null) return refuse(watcher, request.id, "bad-series", problem);
    const subscription: Subscription = { query: request.counts, sites, sent: null };
    subscriptions.set(request.id, subscription);
    try {
      const first = await moment(request.counts);
      if (subscriptions.get(request.id) === subscription) sendCounts(watcher, request.id, subscription, first, true);
    } catch (error) {
      log.warn({ err: error }, "the fleet cannot be counted for the live feed now");
      refuse(watcher, request.id, "unavailable", "the database cannot be reached now; counts follow when it can");
    }
  }

  function welcome(socket: WebSocket, token: ApiTokenRow, access: Access): void {
    const watcher: Watcher = { socket, token, access, subscriptions: new Map(), alive: true, messages: 0 };
    watchers.add(watcher);
    metrics.watchers.set(watchers.size);
    socket.on("message", (message: RawData, isBinary: boolean) => {
      watcher.alive = true;
      if (++watcher.messages > mostMessages) {
        socket.close(liveCloseCodes.flooding, "too many messages");
        return;
      }
      if (isBinary) refuse(watcher, null, "invalid", "a message is text, not binary");
      else void onMessage(watcher, String(message));
    });
    socket.on("pong", () => {
      watcher.alive = true;
    });
    // ws closes the connection itself: a message too large, not UTF-8, not WebSocket.
    socket.on("error", () => {});
    socket.on("close", () => {
      watchers.delete(watcher);
      metrics.watchers.set(watchers.size);
    });
    send(watcher, {
      type: "hello",
      version: options.version,
      at: new Date(now()).toISOString(),
      intervalSeconds: config.liveInterval / 1000,
      heartbeatSeconds: config.liveHeartbeat / 1000,
    });
  }

  const ofToken = (id: string) => [...watchers].filter((watcher) => watcher.token.id === id).length;

  async function accept(request: IncomingMessage, socket: Duplex, head: Buffer): Promise<void> {
    if (options.stopping() || watchers.size >= config.maxWatchers)
      return refuseUpgrade(socket, "503 Service Unavailable", 30);
    const caller = await callerOf(db, request.headers.authorization, now());
    if (!caller) return refuseUpgrade(socket, "401 Unauthorized", null, "WWW-Authenticate: Bearer\r\n");
    const { token, access } = caller;
    if (!access || !allows(access, "read")) return refuseUpgrade(socket, "403 Forbidden", null);
    if (watchers.size >= config.maxWatchers || ofToken(token.id) >= config.maxWatchersPerToken)
      return refuseUpgrade(socket, "503 Service Unavailable", 30);
    sockets.handleUpgrade(request, socket, head, (made) => welcome(made, token, access));
  }

  const upgrade: Upgrade = (request, socket, head) => {
    // Until it is accepted nobody else listens to what breaks on it.
    socket.on("error", () => socket.destroy());
    accept(request, socket, head).catch((error) => {
      log.warn({ err: error }, "a watcher could not be let in");
      refuseUpgrade(socket, "503 Service Unavailable", 30);
    });
  };

  async function sendAll(always: boolean): Promise<void> {
    const asked = [...watchers].filter((watcher) => watcher.subscriptions.size > 0);
    if (asked.length === 0) return;
    for (const watcher of asked)
      for (const [id, subscription] of watcher.subscriptions)
        sendCounts(watcher, id, subscription, await moment(subscription.query), always);
  }

  return {
    upgrade,

    /** Something was written that watchers may see. */
    noteChange(): void {
      changed = true;
    },

    /** One interval: says that something changed, and the counts that did. */
    async turn(): Promise<void> {
      if (!changed || watchers.size === 0 || monotonic() < restUntil) return;
      changed = false;
      const at = new Date(now()).toISOString();
      for (const watcher of watchers) send(watcher, { type: "changed", at });
      try {
        await sendAll(false);
      } catch (error) {
        changed = true;
        throw error;
      }
    },

    /** One heartbeat: who is gone or may not watch any more is let go, all others hear their counts. */
    async heartbeat(): Promise<void> {
      if (watchers.size === 0) return;
      const inForce = await tokensInForce(
        db,
        [...new Set([...watchers].map(({ token }) => token.id))],
        new Date(now()),
      );
      for (const watcher of watchers) {
        const { socket, token, alive } = watcher;
        watcher.messages = 0;
        watcher.alive = false;
        if (!inForce.has(token.id)) socket.close(liveCloseCodes.unauthorized, "the token is no longer in force");
        else if (!alive) socket.terminate();
        else socket.ping();
      }
      await sendAll(true);
    },

    /** Tells every watcher to come back; resolves when all have hung up. */
    async close(): Promise<void> {
      const closed = [...watchers].map(
        ({ socket }) => new Promise<void>((resolve) => socket.once("close", () => resolve())),
      );
      for (const { socket } of watchers) socket.close(liveCloseCodes.restarting, "the collector restarts");
      await Promise.all(closed);
    },

    /** Cuts whoever has not hung up. */
    terminate(): void {
      for (const { socket } of watchers) socket.terminate();
    },
  };
}
