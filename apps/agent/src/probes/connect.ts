import { request } from "node:http";
import type { Socket } from "node:net";
import type { ConnectPhase } from "@lynceus/protocol/facts";
import { authorityOf } from "./authority.ts";
import type { ProbeContext } from "./context.ts";
import { DeadlineError, withDeadline } from "./deadline.ts";
import { codeOf } from "./errors.ts";
import { reportHeaders } from "./headers.ts";

interface Answer {
  readonly status: number;
  readonly rawHeaders: string[];
  readonly socket: Socket;
  readonly head: Buffer;
}

function ask(socket: Socket, authority: string, ctx: ProbeContext, signal: AbortSignal): Promise<Answer> {
  return new Promise((resolve, reject) => {
    const connect = request({
      createConnection: () => socket,
      method: "CONNECT",
      path: authority,
      // No Proxy-Authorization, ever: a 407 is a result (domain 6.4).
      headers: { Host: authority, "User-Agent": ctx.userAgent, "Proxy-Connection": "keep-alive" },
      signal,
    });
    connect.once("connect", (response, tunnel, head) =>
      resolve({
        status: response.statusCode ?? 0,
        rawHeaders: response.rawHeaders,
        socket: tunnel as Socket,
        head,
      }),
    );
    connect.on("error", (error) => reject(signal.aborted ? signal.reason : error));
    connect.end();
  });
}

function errorOf(error: unknown): NonNullable<ConnectPhase["error"]> {
  if (error instanceof DeadlineError) return "timeout";
  return codeOf(error).startsWith("HPE_") ? "protocol" : "reset";
}

/**
 * Asks an HTTP proxy for a tunnel; the target's name goes to it unresolved (domain 5.0 rule 4). What the proxy says is
 * kept here, apart from what the origin says later. `socket` is the open tunnel, or null. Rejects only when the agent
 * stops.
 */
export async function openTunnel(
  socket: Socket,
  host: string,
  port: number,
  ctx: ProbeContext,
): Promise<{ phase: ConnectPhase; socket: Socket | null }> {
  const started = ctx.clock.monotonic();
  const took = () => ctx.clock.monotonic() - started;
  try {
    const answer = await withDeadline(ctx.timeouts.http, ctx.signal, (signal) =>
      ask(socket, authorityOf(host, port), ctx, signal),
    );
    const { headers, proxyAuth } = reportHeaders(answer.rawHeaders);
    const sane = answer.status >= 100 && answer.status <= 999;
    const phase: ConnectPhase = {
      status: sane ? answer.status : null,
      error: sane ? null : "protocol",
      proxyAuthSchemes: proxyAuth,
      headers,
      ms: took(),
    };
    if (answer.status < 200 || answer.status > 299) {
      answer.socket.destroy();
      return { phase, socket: null };
    }
    answer.socket.on("error", () => {});
    if (answer.head.length > 0) answer.socket.unshift(answer.head);
    return { phase, socket: answer.socket };
  } catch (error) {
    socket.destroy();
    ctx.signal.throwIfAborted();
    return {
      phase: { status: null, error: errorOf(error), proxyAuthSchemes: [], headers: {}, ms: took() },
      socket: null,
    };
  }
}
