import type pg from "pg";
import { connectClient } from "./connection.ts";

/**
 * `lynceus`: data changed (no payload). `lynceus_work`: a canary or a verification waits. The others carry a machine's id
 * or a version, or nothing.
 */
export const channels = [
  "lynceus",
  "lynceus_command",
  "lynceus_policy",
  "lynceus_revoke",
  "lynceus_approve",
  "lynceus_report",
  "lynceus_work",
] as const;
export type Channel = (typeof channels)[number];

export interface NotifyEvent {
  channel: Channel;
  payload: string;
}

export interface ListenOptions {
  channels?: readonly Channel[];
  /** Told when the connection broke or could not be made; it is tried again by itself, at most 5 s later. */
  onError?: (error: Error) => void;
}

export interface Listener {
  /** Resolves when it listens for the first time. */
  readonly ready: Promise<void>;
  close(): Promise<void>;
}

const isChannel = (name: string): name is Channel => (channels as readonly string[]).includes(name);

/**
 * Hears what other processes tell. What is told while the connection is down is lost, so after each reconnect one
 * event without payload is made up for every channel: read again.
 */
export function listen(url: string, onEvent: (event: NotifyEvent) => void, options: ListenOptions = {}): Listener {
  const wanted = options.channels ?? channels;
  let closed = false;
  let client: pg.Client | null = null;
  let timer: NodeJS.Timeout | null = null;
  let attempts = 0;
  let wasUp = false;
  let markReady = () => {};
  const ready = new Promise<void>((resolve) => {
    markReady = resolve;
  });

  const retry = (error: unknown) => {
    client = null;
    if (closed) return;
    options.onError?.(error instanceof Error ? error : new Error(String(error)));
    timer = setTimeout(connect, Math.min(5_000, 100 * 2 ** attempts++));
  };

  const connect = async () => {
    try {
      const next = await connectClient(url);
      if (closed) {
        await next.end();
        return;
      }
      client = next;
      let broken = false;
      const onBroken = (error?: Error) => {
        if (broken) return;
        broken = true;
        next.end().catch(() => {});
        retry(error ?? new Error("the database closed the connection"));
      };
      next.on("error", onBroken);
      next.on("end", () => onBroken());
      next.on("notification", ({ channel, payload }) => {
        if (isChannel(channel)) onEvent({ channel, payload: payload ?? "" });
      });
      for (const channel of wanted) await next.query(`LISTEN ${channel}`);
      attempts = 0;
      if (wasUp) for (const channel of wanted) onEvent({ channel, payload: "" });
      wasUp = true;
      markReady();
    } catch (error) {
      if (client === null) retry(error);
    }
  };
  void connect();

  return {
    ready,
    close: async () => {
      closed = true;
      if (timer) clearTimeout(timer);
      await client?.end().catch(() => {});
    },
  };
}
