import { request } from "node:https";
import { isIP } from "node:net";

/** What a server said to one GET. */
export interface Answer {
  status: number;
  /** Lower-case names; values of one name joined by a comma, cut at 1,024 characters. */
  headers: Readonly<Record<string, string>>;
  /** At most 16 KB; empty unless asked for by `accept`. */
  body: string;
  /** Whether this server's authorities vouch for the certificate. It is looked at, never a reason to stop. */
  trusted: boolean;
}

const bodyBytes = 16 * 1024;

/**
 * One GET over HTTPS: no credentials, no cookies, no redirect followed, bounded answer. It connects to the given
 * addresses and not to what the name resolves to by then. Rejects when there is no HTTP answer.
 */
export function askHttps(target: {
  host: string;
  port: number;
  path: string;
  addresses: readonly string[];
  accept?: string;
  signal: AbortSignal;
  timeoutMs: number;
}): Promise<Answer> {
  const { host, port, path, addresses, accept, signal, timeoutMs } = target;
  const address = addresses[0];
  if (address === undefined) return Promise.reject(new Error("no address"));
  return new Promise((resolve, reject) => {
    const asked = request({
      host: address,
      port,
      path,
      method: "GET",
      servername: isIP(host) === 0 ? host : "",
      agent: false,
      // Nothing secret is sent, and what is read is shown as found, not believed.
      rejectUnauthorized: false,
      maxHeaderSize: 16 * 1024,
      signal: AbortSignal.any([signal, AbortSignal.timeout(timeoutMs)]),
      headers: {
        host: port === 443 ? host : `${host}:${port}`,
        "user-agent": "Lynceus",
        accept: accept ?? "*/*",
        connection: "close",
      },
    });
    asked.on("error", (error: NodeJS.ErrnoException) => reject(new Error(wordsOf(error))));
    asked.on("response", (response) => {
      const socket = response.socket as { authorized?: boolean };
      const trusted = socket.authorized === true;
      const headers: Record<string, string> = {};
      for (const [name, value] of Object.entries(response.headers))
        headers[name] = (Array.isArray(value) ? value.join(", ") : (value ?? "")).slice(0, 1024);
      const parts: Buffer[] = [];
      let size = 0;
      const done = () => {
        asked.destroy();
        const body = Buffer.concat(parts).subarray(0, bodyBytes).toString("utf8");
        resolve({ status: response.statusCode ?? 0, headers, body, trusted });
      };
      if (accept === undefined) {
        done();
        return;
      }
      response.on("data", (part: Buffer) => {
        parts.push(part);
        size += part.length;
        if (size >= bodyBytes) done();
      });
      response.on("end", done);
      response.on("error", done);
    });
    asked.end();
  });
}

function wordsOf(error: NodeJS.ErrnoException): string {
  if (error.code === "ECONNREFUSED") return "refused";
  if (error.code === "ECONNRESET") return "reset";
  if (error.code === "ETIMEDOUT" || error.name === "AbortError" || error.name === "TimeoutError") return "no answer";
  return error.code ?? error.message.slice(0, 128);
}
