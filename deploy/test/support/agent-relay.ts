import { once } from "node:events";
import { createServer } from "node:http";
import type { AddressInfo } from "node:net";
import { type RawData, WebSocket, WebSocketServer } from "ws";

/** A message as it crossed the wire. */
export interface Heard {
  readonly from: "agent" | "collector";
  readonly text: string;
}

/** Stands between agents and a collector, on loopback and in plain text, and hands on what each says, word for word. */
export interface AgentRelay {
  /** What an enrolment token is to name. */
  readonly url: string;
  /** What was handed on, in order. */
  readonly heard: readonly Heard[];
  /** What was kept back, in order: the collector never knew of it. */
  readonly heldBack: readonly string[];
  /** Messages of agents that are kept back from now on. */
  holdBack(which: (message: { type: string }) => boolean): void;
  close(): Promise<void>;
}

export async function startAgentRelay(collectorUrl: string): Promise<AgentRelay> {
  const server = createServer();
  const sockets = new WebSocketServer({ server });
  const heard: Heard[] = [];
  const heldBack: string[] = [];
  let held: (message: { type: string }) => boolean = () => false;
  sockets.on("connection", (agent, request) => {
    const collector = new WebSocket(`${collectorUrl}${request.url}`);
    const opened = once(collector, "open");
    opened.catch(() => agent.terminate());
    const handOn = (from: Heard["from"], text: string) => {
      if (from === "agent" && held(JSON.parse(text) as { type: string })) {
        heldBack.push(text);
        return;
      }
      heard.push({ from, text });
      (from === "agent" ? collector : agent).send(text);
    };
    // Whoever ends the connection ends both halves of it; what one may not say to the other (1006) becomes a plain end.
    const endOf = (other: WebSocket) => (code: number, reason: Buffer) =>
      code === 1005 || code === 1006 ? other.terminate() : other.close(code, reason);
    agent.on("error", () => {}).on("close", endOf(collector));
    collector.on("error", () => {}).on("close", endOf(agent));
    collector.on("message", (data: RawData) => handOn("collector", String(data)));
    agent.on("message", (data: RawData) => void opened.then(() => handOn("agent", String(data))).catch(() => {}));
  });
  server.listen(0, "127.0.0.1");
  await once(server, "listening");
  return {
    url: `ws://127.0.0.1:${(server.address() as AddressInfo).port}`,
    heard,
    heldBack,
    holdBack(which) {
      held = which;
    },
    async close() {
      for (const agent of sockets.clients) agent.terminate();
      server.closeAllConnections();
      await new Promise((resolve) => server.close(resolve));
    },
  };
}
