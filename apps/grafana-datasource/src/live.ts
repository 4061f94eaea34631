import { config } from "@grafana/runtime";
import type { LiveMessage, LiveRequest } from "@lynceus/protocol/live";
import { Observable, type Subscriber } from "rxjs";

export type LiveCounts = Extract<LiveMessage, { type: "counts" }>;
type CountsRequest = Extract<LiveRequest, { type: "subscribe" }>["counts"];

/** What a connection needs of the browser; a test gives its own. */
export interface LiveEnvironment {
  readonly open: (url: string) => WebSocket;
  readonly setTimer: (work: () => void, ms: number) => unknown;
  readonly clearTimer: (timer: never) => void;
  readonly random: () => number;
}

const browser: LiveEnvironment = {
  open: (url) => new WebSocket(url),
  setTimer: (work, ms) => setTimeout(work, ms),
  clearTimer: (timer) => clearTimeout(timer),
  random: Math.random,
};

/** A connection that nobody needs any more is kept so long: panels come and go while a dashboard is drawn. */
const lingerMs = 5_000;
const longestWaitMs = 60_000;

/** The address of a path of Grafana as a WebSocket's, below the sub-path that Grafana may be served from. */
export function socketUrl(path: string, location: Pick<Location, "protocol" | "host"> = window.location): string {
  const scheme = location.protocol === "https:" ? "wss:" : "ws:";
  const sub = (config.appSubUrl ?? "").replace(/\/$/, "");
  return `${scheme}//${location.host}${path.startsWith(sub) ? "" : sub}${path}`;
}

/**
 * The live feed of one data source: one WebSocket for all its panels, through Grafana's data proxy, which adds the token. It
 * comes back by itself, with full jitter, and asks again for what is watched.
 */
export class LiveFeed {
  private readonly url: () => string;
  private readonly environment: LiveEnvironment;
  private readonly counts = new Map<string, { request: CountsRequest; to: Subscriber<LiveCounts> }>();
  private readonly changes = new Set<Subscriber<void>>();
  private socket: WebSocket | null = null;
  private timer: unknown = null;
  private attempts = 0;
  private nextId = 0;

  constructor(url: () => string, environment: LiveEnvironment = browser) {
    this.url = url;
    this.environment = environment;
  }

  /** Counts now, and again each time that they changed. What the collector refuses is an error of this one alone. */
  watchCounts(request: CountsRequest): Observable<LiveCounts> {
    return new Observable((to) => {
      const id = `c${++this.nextId}`;
      this.counts.set(id, { request, to });
      this.connect();
      this.send({ type: "subscribe", id, counts: request });
      return () => {
        this.counts.delete(id);
        this.send({ type: "unsubscribe", id });
        this.letGo();
      };
    });
  }

  /** A word each time that something changed: ask again. */
  watchChanges(): Observable<void> {
    return new Observable((to) => {
      this.changes.add(to);
      this.connect();
      return () => {
        this.changes.delete(to);
        this.letGo();
      };
    });
  }

  private get wanted(): boolean {
    return this.counts.size + this.changes.size > 0;
  }

  private send(message: LiveRequest): void {
    if (this.socket?.readyState === 1) this.socket.send(JSON.stringify(message));
  }

  private stopTimer(): void {
    if (this.timer !== null) this.environment.clearTimer(this.timer as never);
    this.timer = null;
  }

  private connect(): void {
    if (this.socket !== null) {
      // It was about to be let go.
      if (this.socket.readyState === 1) this.stopTimer();
      return;
    }
    if (this.timer !== null) return;
    const socket = this.environment.open(this.url());
    this.socket = socket;
    socket.onopen = () => {
      for (const [id, { request }] of this.counts) this.send({ type: "subscribe", id, counts: request });
    };
    socket.onmessage = ({ data }: MessageEvent<unknown>) => this.hear(data);
    socket.onclose = () => {
      if (this.socket !== socket) return;
      this.socket = null;
      this.stopTimer();
      if (!this.wanted) return;
      const wait = Math.min(longestWaitMs, 1_000 * 2 ** this.attempts++) * this.environment.random();
      this.timer = this.environment.setTimer(() => {
        this.timer = null;
        if (this.wanted) this.connect();
      }, wait);
    };
  }

  private hear(data: unknown): void {
    let message: LiveMessage;
    try {
      message = JSON.parse(String(data)) as LiveMessage;
    } catch {
      return;
    }
    if (message.type === "hello") {
      this.attempts = 0;
      // What happened while it was away is not told again.
      for (const to of [...this.changes]) to.next();
    } else if (message.type === "counts") this.counts.get(message.id)?.to.next(message);
    else if (message.type === "changed") for (const to of [...this.changes]) to.next();
    // Counts that cannot be read now follow when they can.
    else if (message.type === "error" && message.id !== null && message.code !== "unavailable")
      this.counts.get(message.id)?.to.error(new Error(message.message));
  }

  /** Hangs up, a while after the last one who watched has gone. */
  private letGo(): void {
    if (this.wanted) return;
    this.stopTimer();
    const { socket } = this;
    if (socket === null) return;
    this.timer = this.environment.setTimer(() => {
      this.timer = null;
      if (this.wanted) return;
      this.socket = null;
      socket.close();
    }, lingerMs);
  }
}
