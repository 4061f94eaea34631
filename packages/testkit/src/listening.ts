import { once } from "node:events";
import type { AddressInfo, Server, Socket } from "node:net";

/** A server of a test on a free loopback port. */
export interface Listening {
  readonly host: string;
  readonly port: number;
  /** Stops listening and cuts every connection. */
  close(): Promise<void>;
}

/** Starts a server on a free port of 127.0.0.1; its `close` also ends connections that hang. */
export async function listen(server: Server, host = "127.0.0.1"): Promise<Listening> {
  const sockets = new Set<Socket>();
  server.on("connection", (socket: Socket) => {
    sockets.add(socket);
    // A peer that goes away in the middle is what many tests are about.
    socket.on("error", () => {});
    socket.on("close", () => sockets.delete(socket));
  });
  server.listen(0, host);
  await once(server, "listening");
  return {
    host,
    port: (server.address() as AddressInfo).port,
    close: () =>
      new Promise((resolve) => {
        server.close(() => resolve());
        for (const socket of sockets) socket.destroy();
      }),
  };
}

/** Loopback ports on which nothing listens: free a moment ago, and no two alike since all were held at once. */
export async function closedPorts(count: number): Promise<number[]> {
  const { createServer } = await import("node:net");
  const servers = await Promise.all(Array.from({ length: count }, () => listen(createServer())));
  await Promise.all(servers.map((server) => server.close()));
  return servers.map(({ port }) => port);
}

export const closedPort = async (): Promise<number> => (await closedPorts(1))[0]!;
