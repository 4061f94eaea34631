import type { IncomingMessage, Server } from "node:http";
import type { Duplex } from "node:stream";

/** Takes a request for a WebSocket, or refuses it. */
export type Upgrade = (request: IncomingMessage, socket: Duplex, head: Buffer) => void;

/** Answers an upgrade without making a WebSocket of it: the cheapest refusal there is. */
export function refuseUpgrade(socket: Duplex, status: string, retryAfterSeconds: number | null, header = ""): void {
  const retry = retryAfterSeconds === null ? "" : `Retry-After: ${retryAfterSeconds}\r\n`;
  socket.on("error", () => socket.destroy());
  socket.end(`HTTP/1.1 ${status}\r\n${retry}${header}Connection: close\r\nContent-Length: 0\r\n\r\n`);
}

/** Gives each upgrade of a server to whoever owns its path; there is nothing at any other. */
export function routeUpgrades(server: Server, owners: Readonly<Record<string, Upgrade>>): void {
  server.on("upgrade", (request: IncomingMessage, socket: Duplex, head: Buffer) => {
    const path = (request.url ?? "").split("?", 1)[0] ?? "";
    const owner = Object.hasOwn(owners, path) ? owners[path] : undefined;
    if (owner) owner(request, socket, head);
    else refuseUpgrade(socket, "404 Not Found", null);
  });
}
