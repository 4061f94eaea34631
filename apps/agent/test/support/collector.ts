import { createServer } from "node:http";
import { createServer as createTlsServer } from "node:https";
import { decodeAgentMessage } from "@lynceus/protocol/decode";
import type { AgentMessage, CollectorMessage } from "@lynceus/protocol/messages";
import { listen } from "@lynceus/testkit/listening";
import { type WebSocket, WebSocketServer } from "ws";

type Message<T extends AgentMessage["type"]> = Extract<AgentMessage, { type: T }>;

/** Values that come one by one and are awaited one by one, in either order. */
export function channel<T>() {
  const values: T[] = [];
  const waiting: ((value: T) => void)[] = [];
  return {
    push(value: T) {
      const next = waiting.shift();
      if (next) next(value);
      else values.push(value);
    },
    next: () =>
      new Promise<T>((resolve) => {
        const value = values.shift();
        if (value === undefined) waiting.push(resolve);
        else resolve(value);
      }),
    waitingValues: () => values.length,
  };
}

/** One agent as the scripted collector sees it. */
export interface Peer {
  readonly socket: WebSocket;
  readonly nonce: string;
  send(message: CollectorMessage): void;
  sendText(text: string): void;
  /** The next message of the agent but for the type that is passed over; fails when it is of another type. */
  next<T extends AgentMessage["type"]>(type: T, passOver?: AgentMessage["type"]): Promise<Message<T>>;
  /** Resolves once the agent has worked through everything that was sent to it. */
  settled(): Promise<void>;
  /** Messages that came and were not asked for. */
  unread(): number;
  readonly closed: Promise<number>;
}

export interface ScriptedCollector {
  readonly url: string;
  readonly port: number;
  /** The next connection; it was sent a challenge. */
  connection(): Promise<Peer>;
  /** Connections so far. */
  count(): number;
  /** Answers further upgrades with this status until it is null again. */
  turnAway: { status: number; retryAfter: string | null } | null;
  close(): Promise<void>;
}

/** A collector that does what a test says, over real sockets. */
export async function scriptedCollector(
  options: { tls?: { cert: string; key: string } } = {},
): Promise<ScriptedCollector> {
  const server = options.tls ? createTlsServer(options.tls) : createServer();
  const sockets = new WebSocketServer({ noServer: true });
  const peers = channel<Peer>();
  let count = 0;
  server.on("upgrade", (request, socket, head) => {
    socket.on("error", () => {});
    if (collector.turnAway) {
      const { status, retryAfter } = collector.turnAway;
      const retry = retryAfter === null ? "" : `Retry-After: ${retryAfter}\r\n`;
      return void socket.end(`HTTP/1.1 ${status} No\r\n${retry}Content-Length: 0\r\nConnection: close\r\n\r\n`);
    }
    sockets.handleUpgrade(request, socket, head, (ws) => {
      count++;
      const messages = channel<AgentMessage>();
      ws.on("error", () => {});
      ws.on("message", (data) => {
        const decoded = decodeAgentMessage(data.toString());
        if (!decoded.ok) throw new Error(`the agent sent what the wire refuses: ${decoded.error.message}`);
        messages.push(decoded.value);
      });
      const nonce = Buffer.from(`nonce ${count}`).toString("base64");
      const peer: Peer = {
        socket: ws,
        nonce,
        send: (message) => ws.send(JSON.stringify(message)),
        sendText: (text) => ws.send(text),
        async next(type, passOver) {
          let message = await messages.next();
          while (message.type === passOver) message = await messages.next();
          if (message.type !== type) throw new Error(`expected ${type}, got ${JSON.stringify(message)}`);
          return message as Message<typeof type>;
        },
        settled: () =>
          new Promise((resolve) => {
            ws.once("pong", () => resolve());
            ws.ping();
          }),
        unread: () => messages.waitingValues(),
        closed: new Promise((resolve) => ws.once("close", resolve)),
      };
      peer.send({ v: 1, type: "challenge", nonce, now: 1, collectorVersion: "test" });
      peers.push(peer);
    });
  });
  const listening = await listen(server);
  const collector: ScriptedCollector = {
    url: `${options.tls ? "wss" : "ws"}://127.0.0.1:${listening.port}`,
    port: listening.port,
    connection: peers.next,
    count: () => count,
    turnAway: null,
    close: listening.close,
  };
  return collector;
}
