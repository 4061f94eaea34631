import { type IncomingMessage, request } from "node:http";
import type { Socket } from "node:net";
import type { HttpPhase } from "@lynceus/protocol/facts";
import { authorityOf } from "./authority.ts";
import { classifyBody, inspectedBytes } from "./body-class.ts";
import type { ProbeContext } from "./context.ts";
import { DeadlineError, withDeadline } from "./deadline.ts";
import { codeOf } from "./errors.ts";
import { reportHeaders } from "./headers.ts";

export interface HttpRequest {
  readonly host: string;
  readonly port: number;
  readonly scheme: "http" | "https";
  readonly path: string;
  readonly accept: string;
  /** The socket ends at a proxy that is to fetch the page: the request line carries the whole URL. */
  readonly absolute: boolean;
  /** The TLS session did not verify: what comes is evidence only. */
  readonly untrusted: boolean;
  /** Conditions of the request, such as `If-None-Match`. */
  readonly conditions?: Readonly<Record<string, string>>;
}

/** `Host` as clients write it: without the scheme's own port. */
const hostHeader = ({ host, port, scheme }: HttpRequest) =>
  port === (scheme === "https" ? 443 : 80) ? authorityOf(host, port).replace(/:\d+$/, "") : authorityOf(host, port);

/** Sends the request and resolves with the header of the answer; its body is still to be read. */
export function sendGet(
  socket: Socket,
  asked: HttpRequest,
  ctx: ProbeContext,
  signal: AbortSignal,
): Promise<IncomingMessage> {
  return new Promise((resolve, reject) => {
    const get = request({
      createConnection: () => socket,
      method: "GET",
      path: asked.absolute ? `${asked.scheme}://${hostHeader(asked)}${asked.path}` : asked.path,
      // No Authorization, no cookie: rule zero of domain 3. keep-alive, because Windows authentication needs it and a
      // server's refusal of it is evidence.
      headers: {
        Host: hostHeader(asked),
        "User-Agent": ctx.userAgent,
        Accept: asked.accept,
        Connection: "keep-alive",
        ...asked.conditions,
      },
      maxHeaderSize: 32 * 1024,
      signal,
    });
    get.once("response", resolve);
    // An upgrade that nobody asked for would otherwise leave the promise open.
    get.once("upgrade", (response) => resolve(response));
    get.on("error", (error) => reject(signal.aborted ? signal.reason : error));
    get.end();
  });
}

/** The first 2 KiB, or what has come when the time is up. */
async function readStart(response: IncomingMessage, ctx: ProbeContext): Promise<Buffer> {
  const chunks: Buffer[] = [];
  let length = 0;
  const reading = new Promise<void>((resolve) => {
    response.on("data", (chunk: Buffer) => {
      chunks.push(chunk);
      length += chunk.length;
      if (length >= inspectedBytes) resolve();
    });
    response.once("end", resolve).once("error", () => resolve());
    response.once("close", resolve);
  });
  await withDeadline(ctx.timeouts.body, ctx.signal, () => reading).catch(() => {});
  return Buffer.concat(chunks).subarray(0, inspectedBytes);
}

function errorOf(error: unknown): NonNullable<HttpPhase["error"]> {
  if (error instanceof DeadlineError) return "timeout";
  const code = codeOf(error);
  if (code === "HPE_HEADER_OVERFLOW") return "too-large";
  return code.startsWith("HPE_") ? "protocol" : "reset";
}

/**
 * One HTTP/1.1 GET over a connection that is open already. Follows nothing, answers no challenge, reads at most 2 KiB
 * of the body. `ms` runs to the end of the header. Closes the socket. Rejects only when the agent stops.
 */
export async function getOnce(socket: Socket, asked: HttpRequest, ctx: ProbeContext): Promise<HttpPhase> {
  const started = ctx.clock.monotonic();
  try {
    const response = await withDeadline(ctx.timeouts.http, ctx.signal, (signal) => sendGet(socket, asked, ctx, signal));
    const ms = ctx.clock.monotonic() - started;
    const { headers, wwwAuth, bearerClientId } = reportHeaders(response.rawHeaders);
    const body = await readStart(response, ctx);
    ctx.signal.throwIfAborted();
    const status = response.statusCode ?? 0;
    const sane = status >= 100 && status <= 999;
    return {
      status: sane ? status : null,
      error: sane ? null : "protocol",
      wwwAuth,
      bearerClientId,
      headers,
      location: headers.location || null,
      bodyClass: classifyBody(body, headers["content-type"] ?? ""),
      proto: `HTTP/${response.httpVersion}`,
      untrusted: asked.untrusted,
      redirects: [],
      ms,
    };
  } catch (error) {
    ctx.signal.throwIfAborted();
    return {
      status: null,
      error: errorOf(error),
      wwwAuth: [],
      bearerClientId: null,
      headers: {},
      location: null,
      bodyClass: "empty",
      proto: null,
      untrusted: asked.untrusted,
      redirects: [],
      ms: ctx.clock.monotonic() - started,
    };
  } finally {
    socket.destroy();
  }
}
