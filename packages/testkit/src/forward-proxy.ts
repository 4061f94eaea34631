import { createServer, type IncomingHttpHeaders, request } from "node:http";
import { connect, type Socket } from "node:net";
import { type Listening, listen } from "./listening.ts";

export interface ForwardProxyOptions {
  /** `open` forwards; a number answers CONNECT and plain requests with it; `hang` never answers. */
  readonly mode?: "open" | "hang" | "reset" | 403 | 407 | 500 | 502 | 503 | 504;
  /** Offered with a 407; `Basic realm="…"` by default. */
  readonly schemes?: readonly string[];
  /** Where a name really is, instead of asking DNS: `mail.contoso.com:443` → `127.0.0.1:port`. */
  readonly resolve?: (host: string, port: number) => { host: string; port: number };
}

export interface ForwardProxy extends Listening {
  /** Authorities of CONNECT requests and URLs of plain ones, as they came in. */
  readonly asked: string[];
  readonly headers: IncomingHttpHeaders[];
}

const answers: Record<number, [reason: string, headers: Record<string, string>]> = {
  403: ["Forbidden", { Server: "squid/6.9", "X-Squid-Error": "ERR_ACCESS_DENIED 0", Via: "1.1 px1 (squid/6.9)" }],
  407: ["Proxy Authentication Required", { Server: "squid/6.9", "X-Squid-Error": "ERR_CACHE_ACCESS_DENIED 0" }],
  500: ["Internal Server Error", { Server: "squid/5.7", "X-Squid-Error": "ERR_CANNOT_FORWARD 0" }],
  502: ["Bad Gateway", { Server: "Zscaler/6.2" }],
  503: ["Service Unavailable", { Server: "squid/6.9", "X-Squid-Error": "ERR_DNS_FAIL 0" }],
  504: ["Gateway Timeout", { Server: "squid/6.9", "X-Squid-Error": "ERR_CONNECT_FAIL 110" }],
};

/** A forward proxy with CONNECT, or one that refuses in the ways proxies do. */
export async function forwardProxy(options: ForwardProxyOptions = {}): Promise<ForwardProxy> {
  const { mode = "open", schemes = ['Basic realm="Squid proxy-caching web server"'] } = options;
  const resolve = options.resolve ?? ((host: string, port: number) => ({ host, port }));
  const asked: string[] = [];
  const headers: IncomingHttpHeaders[] = [];
  const refusal = (status: number) => {
    const [reason, values] = answers[status] ?? ["Error", {}];
    const lines = Object.entries(values).map(([name, value]) => `${name}: ${value}`);
    if (status === 407) lines.push(...schemes.map((scheme) => `Proxy-Authenticate: ${scheme}`));
    return `HTTP/1.1 ${status} ${reason}\r\n${lines.join("\r\n")}\r\nContent-Length: 0\r\nConnection: close\r\n\r\n`;
  };
  const server = createServer((incoming, response) => {
    asked.push(incoming.url ?? "");
    headers.push(incoming.headers);
    if (mode === "hang") return;
    if (mode === "reset") return void incoming.socket.resetAndDestroy();
    if (typeof mode === "number") return void incoming.socket.end(refusal(mode));
    const url = new URL(incoming.url ?? "/", "http://missing.invalid");
    const to = resolve(url.hostname, Number(url.port || 80));
    request({ ...to, path: url.pathname, method: incoming.method, headers: incoming.headers }, (answer) => {
      response.writeHead(answer.statusCode ?? 502, { ...answer.headers, via: "1.1 px1" });
      answer.pipe(response);
    })
      .on("error", () => response.destroy())
      .end();
  });
  server.on("connect", (incoming, client: Socket) => {
    client.on("error", () => {});
    asked.push(incoming.url ?? "");
    headers.push(incoming.headers);
    if (mode === "hang") return;
    if (mode === "reset") return void client.resetAndDestroy();
    if (typeof mode === "number") return void client.end(refusal(mode));
    const authority = new URL(`tcp://${incoming.url}`);
    const to = resolve(authority.hostname, Number(authority.port));
    const upstream = connect(to);
    upstream.on("connect", () => {
      client.write("HTTP/1.1 200 Connection established\r\nVia: 1.1 px1\r\n\r\n");
      client.pipe(upstream).pipe(client);
    });
    upstream.on("error", () => client.end(refusal(502)));
    client.on("close", () => upstream.destroy());
  });
  return { ...(await listen(server)), asked, headers };
}
