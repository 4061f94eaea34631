import type { ServerResponse } from "node:http";
import { tokensInForce } from "@lynceus/db/api-tokens";
import type { Database } from "@lynceus/db/client";
import { incidentEventIds, listIncidentChanges, newestIncidentEvent } from "@lynceus/db/incidents";
import { fleetOf } from "@lynceus/db/scope";
import type { Access } from "@lynceus/protocol/access";
import type { IncidentChange } from "@lynceus/protocol/read-api-incidents";
import type { CollectorConfig } from "./config.ts";
import type { Metrics } from "./metrics/metrics.ts";

/*
 * Server-sent events: what became of incidents, under the ids of their timelines' entries, so that a client that was cut off
 * goes on where it was; and, without content, that something changed. One read of the database an interval serves all who
 * see the same.
 */

/** Unsent bytes before a client is cut as too slow; it comes back and goes on. */
const mostBuffered = 1024 * 1024;
/** Entries are numbered when they are written and seen when they are committed: so far back one may still appear. */
const overlap = 200n;
const batch = 500;
/** Missed entries that a client may be sent; with more it is told to read anew. */
const mostMissed = 5_000;

/** What `/events` refuses for want of room. */
export class TooManyWatchersError extends Error {
  override readonly name = "TooManyWatchersError";
}

interface Watcher {
  readonly response: ServerResponse;
  readonly tokenId: string;
  readonly access: Access;
  readonly changes: boolean;
  /** Entries that it was sent when it came back. */
  readonly caughtUp: Set<string>;
}

export interface WatchOptions {
  readonly response: ServerResponse;
  readonly tokenId: string;
  readonly access: Access;
  /** The last entry that it knows; null: from now on. */
  readonly after: bigint | null;
  /** Whether it hears that something changed as well. */
  readonly changes: boolean;
  /** False: what is missed is sent, and that is all. */
  readonly follow: boolean;
}

export interface EventStreamOptions {
  readonly db: Database;
  readonly config: CollectorConfig;
  readonly metrics: Metrics;
  readonly now: () => number;
}

const headers = {
  "content-type": "text/event-stream; charset=utf-8",
  "cache-control": "no-store",
  // nginx passes on what comes, and does not collect it.
  "x-accel-buffering": "no",
};

const incidentText = ({ event, incident }: IncidentChange): string =>
  `id: ${event.id}\nevent: incident\ndata: ${JSON.stringify({ event, incident })}\n\n`;

export function createEventStream({ db, config, metrics, now }: EventStreamOptions) {
  const watchers = new Set<Watcher>();
  let changed = false;
  /** The newest entry that was looked at, and those since `overlap` before it that were sent. */
  let position: bigint | null = null;
  const seen = new Set<string>();

  function send(watcher: Watcher, text: string): void {
    const { response } = watcher;
    if (response.writableEnded || response.destroyed) return;
    if (response.writableLength > mostBuffered) response.destroy();
    else response.write(text);
  }

  /** Sends what came after an entry. False: more than anybody wants to hear of one by one. */
  async function catchUp(watcher: Watcher, after: bigint): Promise<boolean> {
    let from = after;
    for (let sent = 0; sent < mostMissed; sent += batch) {
      const missed = await listIncidentChanges(fleetOf(db, watcher.access), from, batch);
      for (const change of missed) {
        watcher.caughtUp.add(change.event.id);
        send(watcher, incidentText(change));
      }
      const last = missed.at(-1);
      if (!last || missed.length < batch) return true;
      from = BigInt(last.event.id);
    }
    return false;
  }

  /** Those who see the same, together. */
  function bySight(): Watcher[][] {
    const groups = new Map<string, Watcher[]>();
    for (const watcher of watchers) {
      const { sites, tags } = watcher.access;
      const key = JSON.stringify([sites, tags]);
      groups.set(key, [...(groups.get(key) ?? []), watcher]);
    }
    return [...groups.values()];
  }

  const before = (id: bigint): bigint => (id > overlap ? id - overlap : 0n);

  /** Entries that are committed at this moment, from a little before the newest that was looked at; and notes them as sent. */
  async function take(): Promise<{ from: bigint; fresh: Set<string> }> {
    const from = before(position ?? (await newestIncidentEvent(db)));
    const ids = await incidentEventIds(db, from);
    const fresh = new Set(ids.filter((id) => !seen.has(id)));
    position = BigInt(ids.at(-1) ?? position ?? 0n);
    const kept = before(position);
    seen.clear();
    for (const id of ids) if (BigInt(id) > kept) seen.add(id);
    return { from, fresh };
  }

  /** Sends a group what is fresh, and what it did not hear when it came back. */
  async function sendFresh(group: readonly Watcher[], from: bigint, fresh: ReadonlySet<string>): Promise<void> {
    const [first] = group;
    if (!first) return;
    for (let after = from; ; ) {
      const found = await listIncidentChanges(fleetOf(db, first.access), after, batch);
      for (const change of found) {
        if (!fresh.has(change.event.id)) continue;
        const text = incidentText(change);
        for (const watcher of group) if (!watcher.caughtUp.has(change.event.id)) send(watcher, text);
      }
      const last = found.at(-1);
      if (!last || found.length < batch) return;
      after = BigInt(last.event.id);
    }
  }

  return {
    /** Answers a request with events until it is closed. @throws TooManyWatchersError before anything is sent */
    async watch(options: WatchOptions): Promise<void> {
      const { response, tokenId, access, changes } = options;
      const ofToken = [...watchers].filter((watcher) => watcher.tokenId === tokenId).length;
      if (options.follow && (watchers.size >= config.maxWatchers || ofToken >= config.maxWatchersPerToken))
        throw new TooManyWatchersError("too many clients follow events; close some of them, or ask again later");
      // From here on what is committed is either caught up with or sent by the next turn.
      if (watchers.size === 0) {
        position = null;
        await take();
      }
      const watcher: Watcher = { response, tokenId, access, changes, caughtUp: new Set() };
      response.writeHead(200, headers);
      response.write(": lynceus\nretry: 5000\n\n");
      response.on("error", () => {});
      if (options.follow) {
        watchers.add(watcher);
        metrics.eventWatchers.set(watchers.size);
        response.on("close", () => {
          watchers.delete(watcher);
          metrics.eventWatchers.set(watchers.size);
        });
      }
      try {
        if (options.after !== null && !(await catchUp(watcher, options.after)))
          send(watcher, "event: reset\ndata: {}\n\n");
      } catch (error) {
        response.destroy();
        throw error;
      }
      if (!options.follow) response.end();
    },

    /** Something was written that watchers may see. */
    noteChange(): void {
      changed = true;
    },

    /** One interval: what became of incidents, and that something changed. */
    async turn(): Promise<void> {
      if (!changed || watchers.size === 0) return;
      changed = false;
      const { from, fresh } = await take();
      if (fresh.size > 0) for (const group of bySight()) await sendFresh(group, from, fresh);
      const at = new Date(now()).toISOString();
      for (const watcher of watchers)
        if (watcher.changes) send(watcher, `event: changed\ndata: ${JSON.stringify({ at })}\n\n`);
    },

    /** Keeps proxies from closing what is quiet, and lets go whose token is no longer in force. */
    async heartbeat(): Promise<void> {
      if (watchers.size === 0) return;
      const inForce = await tokensInForce(
        db,
        [...new Set([...watchers].map(({ tokenId }) => tokenId))],
        new Date(now()),
      );
      for (const watcher of watchers)
        if (inForce.has(watcher.tokenId)) send(watcher, ": still here\n\n");
        else watcher.response.end();
    },

    close(): void {
      for (const { response } of watchers) response.end();
    },
  };
}

export type EventStream = ReturnType<typeof createEventStream>;
