import { type RequestOptions, request as requestHttp } from "node:http";
import { request as requestHttps } from "node:https";
import { isIP, type Socket } from "node:net";
import { connect as connectTls, rootCertificates } from "node:tls";
import type { Connection, Reach } from "@lynceus/protocol/receivers";
import { fencedLookup, type Resolve, requireAllowedHost, widerReach } from "./fence.ts";
import { type Answer, type Outcome, outcomeOfAnswer, outcomeOfError, rejected, retry } from "./outcome.ts";
import { openTunnel, TunnelError } from "./tunnel.ts";

/** What every delivery is given by the collector. */
export interface DeliveryContext {
  /** The instant of this try, milliseconds since 1970. */
  readonly now: number;
  /** What the installation lets every receiver reach; a receiver may be let further. Default: what the receiver says. */
  readonly reach?: Reach;
  /** Ends the try when the collector stops. */
  readonly signal?: AbortSignal;
  /** For the whole try; 10 s by default. */
  readonly timeoutMs?: number;
  /** Another way to resolve names, for tests. */
  readonly resolve?: Resolve;
}

export interface HttpMessage {
  readonly url: string;
  readonly method?: "POST" | "PUT" | "GET";
  readonly headers?: Readonly<Record<string, string>>;
  /** JSON, or nothing. */
  readonly body?: string;
}

/** Of an answer no more is read: enough for an error message. */
const maxAnswerBytes = 16 * 1024;
const defaultTimeoutMs = 10_000;

/** The time limit and the collector's stop in one signal. */
export function deadlineOf(context: DeliveryContext): AbortSignal {
  const limit = AbortSignal.timeout(context.timeoutMs ?? defaultTimeoutMs);
  return context.signal ? AbortSignal.any([context.signal, limit]) : limit;
}

/** The outcome of a try that `deadlineOf` ended. */
export const outOfTime = (context: DeliveryContext): Outcome =>
  retry(
    context.signal?.aborted
      ? "the collector stopped before an answer came"
      : `no answer within ${(context.timeoutMs ?? defaultTimeoutMs) / 1000} s`,
  );

/** Certificates that are trusted: the public authorities, and those that the receiver names. */
export const trusted = (ca: string | null): { ca?: string[] } => (ca === null ? {} : { ca: [...rootCertificates, ca] });

/**
 * How the request gets its connection: directly within the fence, or as a tunnel through the receiver's proxy. The proxy may
 * be in a private network whatever the receiver's reach, because the admin named it.
 */
async function way(url: URL, { proxy, reach, ca }: Connection, context: DeliveryContext, signal: AbortSignal) {
  const wide = widerReach(reach, context.reach ?? "public");
  requireAllowedHost(url.hostname, wide);
  // One connection a delivery: a kept one would have been judged at another time.
  if (proxy === null) return { agent: false as const, lookup: fencedLookup(wide, context.resolve) };
  const proxyReach = widerReach(wide, "private");
  requireAllowedHost(new URL(proxy).hostname, proxyReach);
  const secure = url.protocol === "https:";
  const authority = `${url.hostname}:${url.port === "" ? (secure ? 443 : 80) : url.port}`;
  const tunnel = await openTunnel(proxy, authority, { lookup: fencedLookup(proxyReach, context.resolve), signal });
  const host = url.hostname.replace(/^\[|\]$/g, "");
  const name = isIP(host) === 0 ? { servername: host } : { host };
  const socket: Socket = secure ? connectTls({ socket: tunnel, ...name, ...trusted(ca) }) : tunnel;
  return { createConnection: () => socket };
}

async function exchange(
  message: HttpMessage,
  connection: Connection,
  context: DeliveryContext,
  signal: AbortSignal,
): Promise<Answer> {
  const url = new URL(message.url);
  const options: RequestOptions = {
    method: message.method ?? "POST",
    headers: {
      "user-agent": "Lynceus",
      ...(message.body === undefined
        ? {}
        : { "content-type": "application/json", "content-length": String(Buffer.byteLength(message.body)) }),
      ...message.headers,
    },
    maxHeaderSize: maxAnswerBytes,
    signal,
    ...trusted(connection.ca),
    ...(await way(url, connection, context, signal)),
  };
  return new Promise((resolve, reject) => {
    const sent = (url.protocol === "https:" ? requestHttps : requestHttp)(url, options, (response) => {
      const chunks: Buffer[] = [];
      let bytes = 0;
      const done = () =>
        resolve({
          status: response.statusCode ?? 0,
          retryAfter: response.headers["retry-after"],
          location: response.headers.location,
          body: Buffer.concat(chunks).subarray(0, maxAnswerBytes).toString("utf8"),
        });
      response.on("data", (chunk: Buffer) => {
        chunks.push(chunk);
        bytes += chunk.length;
        // The status has decided already: the rest is not waited for.
        if (bytes < maxAnswerBytes) return;
        done();
        response.destroy();
      });
      response.on("end", done).on("error", reject);
    });
    sent.on("error", reject);
    sent.end(message.body);
  });
}

/**
 * Sends one message by HTTP and says what became of it: within the fence, in time, at most 16 KiB of the answer read, no
 * redirect followed, no cookie or login of ours unless the headers hold it. Never rejects.
 */
export async function sendHttp(
  message: HttpMessage,
  connection: Connection,
  context: DeliveryContext,
): Promise<Outcome> {
  const signal = deadlineOf(context);
  try {
    return outcomeOfAnswer(await exchange(message, connection, context, signal), context.now);
  } catch (error) {
    if (error instanceof TunnelError) return outcomeOfTunnel(error, context.now);
    return signal.aborted ? outOfTime(context) : outcomeOfError(error);
  }
}

function outcomeOfTunnel({ proxy, answer }: TunnelError, now: number): Outcome {
  const outcome = outcomeOfAnswer(answer, now);
  if (outcome.outcome === "retry") return retry(`the proxy ${proxy} answers ${answer.status}`, outcome.afterMs);
  return rejected(
    answer.status === 407
      ? `the proxy ${proxy} asks for a login, which is never given; let the collector through without one`
      : `the proxy ${proxy} refuses the connection with ${answer.status}`,
  );
}
