import { request } from "node:http";
import type { LookupFunction, Socket } from "node:net";
import type { Answer } from "./outcome.ts";

/** The proxy answered CONNECT with something else than 200. */
export class TunnelError extends Error {
  readonly proxy: string;
  readonly answer: Answer;
  constructor(proxy: string, answer: Answer) {
    super(`the proxy ${proxy} answers ${answer.status}`);
    this.proxy = proxy;
    this.answer = answer;
  }
}

export interface TunnelOptions {
  /** Resolves the proxy's name; the target's goes to the proxy as it is. */
  readonly lookup: LookupFunction;
  readonly signal: AbortSignal;
}

/**
 * A connection to `host:port` through an http proxy, by CONNECT and without a login.
 * @param proxy such as `http://px1.contoso.com:8080`
 * @throws TunnelError when the proxy refuses; the network's error when it cannot be reached
 */
export function openTunnel(proxy: string, authority: string, { lookup, signal }: TunnelOptions): Promise<Socket> {
  const { hostname, port, host } = new URL(proxy);
  return new Promise((resolve, reject) => {
    const asked = request({
      host: hostname.replace(/^\[|\]$/g, ""),
      port: port === "" ? 80 : Number(port),
      method: "CONNECT",
      path: authority,
      headers: { host: authority },
      agent: false,
      lookup,
      signal,
    });
    const refused = (status: number, retryAfter: string | undefined) =>
      reject(new TunnelError(host, { status, retryAfter, location: undefined, body: "" }));
    asked.on("connect", (response, socket) => {
      if (response.statusCode === 200) return resolve(socket);
      socket.destroy();
      refused(response.statusCode ?? 0, response.headers["retry-after"]);
    });
    asked.on("response", (response) => {
      response.destroy();
      refused(response.statusCode ?? 0, response.headers["retry-after"]);
    });
    asked.on("error", reject);
    asked.end();
  });
}
