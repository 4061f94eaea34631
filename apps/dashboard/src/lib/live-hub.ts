/**
 * Spreads "data changed" to the event streams of this process: at most one change a second to each, however many
 * arrive, and a heartbeat so that a browser notices silence. Bounded: a further client is refused.
 */
export interface LiveHub {
  /** Data changed. */
  changed(): void;
  /** While the source of changes is away nobody is live: no heartbeat, so that pages say so. */
  blind(yes: boolean): void;
  /** Adds a client; null when there are too many. `send` gets whole event-stream messages; `end` is called on close. */
  join(send: (message: string) => void, end?: () => void): { leave(): void } | null;
  readonly clients: number;
  /** Ends every client, and takes no more. */
  close(): void;
}

export interface LiveHubOptions {
  /** Most clients at once. */
  most: number;
  /** Least time between two changes, ms. */
  everyMs: number;
  heartbeatMs: number;
}

export function liveHub(options: LiveHubOptions): LiveHub {
  const clients = new Map<(message: string) => void, () => void>();
  let closed = false;
  let wait: ReturnType<typeof setTimeout> | undefined;
  let owed = false;
  const tell = (event: string) => {
    for (const send of clients.keys()) send(`event: ${event}\ndata: \n\n`);
  };
  let away = false;
  const heartbeat = setInterval(() => {
    if (!away) tell("heartbeat");
  }, options.heartbeatMs);
  heartbeat.unref();
  const open = () => {
    wait = undefined;
    if (!owed) return;
    owed = false;
    go();
  };
  // The first change goes out at once; those within the next second become one.
  const go = () => {
    tell("change");
    wait = setTimeout(open, options.everyMs);
    wait.unref();
  };
  return {
    changed: () => {
      if (wait === undefined) go();
      else owed = true;
    },
    blind: (yes) => {
      away = yes;
    },
    join: (send, end = () => {}) => {
      if (closed || clients.size >= options.most) return null;
      clients.set(send, end);
      if (!away) send("retry: 1000\nevent: hello\ndata: \n\n");
      return { leave: () => void clients.delete(send) };
    },
    get clients() {
      return clients.size;
    },
    close: () => {
      clearInterval(heartbeat);
      clearTimeout(wait);
      closed = true;
      const ends = [...clients.values()];
      clients.clear();
      for (const end of ends) end();
    },
  };
}
