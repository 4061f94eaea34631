import { randomBytes } from "node:crypto";
import { limits } from "@lynceus/protocol/limits";
import { type RawData, type WebSocket, WebSocketServer } from "ws";
import type { CollectorConfig } from "../config.ts";
import type { Metrics } from "../metrics/metrics.ts";
import { type AgentSocket, newSession } from "./agent-socket.ts";
import type { Connections } from "./connections.ts";
import { refuseUpgrade, type Upgrade } from "./upgrades.ts";

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

export interface AgentSockets {
  readonly clients: ReadonlySet<WebSocket>;
  /** Takes an agent's request for a connection. */
  readonly upgrade: Upgrade;
  close(): void;
}

/** Accepts agents, as many at once as the bounds allow, and challenges each. */
export function acceptAgents(options: AcceptOptions): AgentSockets {
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

  const upgrade: Upgrade = (request, socket, head) => {
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
  };
  return { clients: sockets.clients, upgrade, close: () => sockets.close() };
}
