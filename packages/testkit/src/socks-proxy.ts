import { connect, createServer, type Socket } from "node:net";
import { type Listening, listen } from "./listening.ts";

export interface SocksProxy extends Listening {
  /** `name:port` of each request, as it came in. */
  readonly asked: string[];
}

/** A SOCKS 4a and 5 proxy without authentication; `resolve` says where a name really is. */
export async function socksProxy(
  resolve: (host: string, port: number) => { host: string; port: number },
): Promise<SocksProxy> {
  const asked: string[] = [];
  const forward = (client: Socket, host: string, port: number, granted: Buffer) => {
    asked.push(`${host}:${port}`);
    const upstream = connect(resolve(host, port));
    upstream.on("error", () => client.destroy());
    client.on("close", () => upstream.destroy());
    upstream.on("connect", () => {
      client.write(granted);
      client.pipe(upstream).pipe(client);
    });
  };
  const server = createServer((client) => {
    client.once("data", (first) => {
      if (first[0] === 4) {
        const name = first.subarray(first.indexOf(0, 8) + 1, -1).toString();
        return forward(client, name, first.readUInt16BE(2), Buffer.from([0, 90, 0, 0, 0, 0, 0, 0]));
      }
      client.write(Buffer.from([5, 0]));
      client.once("data", (request) => {
        const length = request[4] ?? 0;
        const name = request.subarray(5, 5 + length).toString();
        forward(client, name, request.readUInt16BE(5 + length), Buffer.from([5, 0, 0, 1, 0, 0, 0, 0, 0, 0]));
      });
    });
  });
  return { ...(await listen(server)), asked };
}
