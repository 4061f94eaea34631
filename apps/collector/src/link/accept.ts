import { randomBytes } from "node:crypto";
import type { IncomingMessage, Server } from "node:http";
import type { Duplex } from "node:stream";
import { limits } from "@lynceus/protocol/limits";
import { type RawData, type WebSocket, WebSocketServer } from "ws";
import type { CollectorConfig } from "../config.ts";
import type { Metrics } from "../metrics.ts";
import { type AgentSocket, newSession } from "./agent-socket.ts";
import type { Connections } from "./connections.ts";

export const agentPath = "/agent/v1";

export interface AcceptOptions {
  readonly config: CollectorConfig;
  readonly metrics: Metrics;
  readonly connections: Connections;
  readonly monotonic: () => number;
  readonly now: () => number;
  readonly version: string;
  readonly onMessage: (socket: AgentSocket, data: Buffer, isBinary: boolean) => void;
  readonly onClose: (socket: AgentSocket) => void;
  /** Whether new connections are turned away as the process stops. */
  readonly stopping: () => boolean;
}

/** Answers an upgrade without making a WebSocket of it: the cheapest refusal there is. */
function refuseUpgrade(socket: Duplex, status: string, retryAfterSeconds: number | null): void {
  const retry = retryAfterSeconds === null ? "" : `Retry-After: ${retryAfterSeconds}\r\n`;
  socket.on("error", () => socket.destroy());
  socket.end(`HTTP/1.1 ${status}\r\n${retry}Connection: close\r\nContent-Length: 0\r\n\r\n`);
}

/** Accepts agents on `/agent/v1` of an HTTP(S) server, as many at once as the bounds allow, and challenges each. */
export function acceptAgents(server: Server, options: AcceptOptions): WebSocketServer {
  const { config, metrics, connections, monotonic, now } = options;
  const sockets = new WebSocketServer({
    noServer: true,
    maxPayload: limits.messageBytes,
    // A deflate context costs some 300 KB a connection.
    perMessageDeflate: false,
    clientTracking: true,
    skipUTF8Validation: false,
  });

  // One function for all sockets, not one per socket: `this` is the socket.
  function onMessage(this: WebSocket, data: RawData, isBinary: boolean) {
    // Each socket got its session before its listeners; messages come as one Buffer (`binaryType` nodebuffer).
    options.onMessage(this as AgentSocket, data as Buffer, isBinary);
  }
  function onPong(this: WebSocket) {
    connections.touch(this as AgentSocket);
  }
  function onClose(this: WebSocket) {
    options.onClose(this as AgentSocket);
  }
  function onError(this: WebSocket, error: NodeJS.ErrnoException) {
    // ws closes the connection itself: a frame too large (1009), not UTF-8 (1007), not WebSocket (1002).
    if (error.code?.startsWith("WS_ERR")) metrics.rejected.inc({ reason: "bad-message" });
    (this as AgentSocket).session.phase = "closing";
  }

  server.on("upgrade", (request: IncomingMessage, socket: Duplex, head: Buffer) => {
    const path = (request.url ?? "").split("?", 1)[0];
    if (path !== agentPath) return refuseUpgrade(socket, "404 Not Found", null);
    if (options.stopping()) return refuseUpgrade(socket, "503 Service Unavailable", connections.jitter(10));
    if (
      connections.handshakes.size >= config.maxHandshakes ||
      connections.handshakes.size + connections.open.size >= config.maxConnections
    ) {
      metrics.rejected.inc({ reason: "too-many" });
      return refuseUpgrade(socket, "503 Service Unavailable", connections.jitter(20));
    }
    sockets.handleUpgrade(request, socket, head, (plain) => {
      const agent = plain as AgentSocket;
      const nonce = randomBytes(24).toString("base64");
      agent.session = newSession(monotonic(), nonce, config.unitsBurst);
      connections.handshakes.add(agent);
      agent.on("message", onMessage);
      agent.on("pong", onPong);
      agent.on("close", onClose);
      agent.on("error", onError);
      connections.send(agent, { v: 1, type: "challenge", nonce, now: now(), collectorVersion: options.version });
    });
  });
  return sockets;
}
