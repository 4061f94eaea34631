import { once } from "node:events";
import { connect as connectTcp, isIP, type Socket } from "node:net";
import { type ConnectionOptions, connect as connectTls, type SecureContext, type TLSSocket } from "node:tls";
import type { ProxyAddress } from "@lynceus/protocol/facts";
import { limits } from "@lynceus/protocol/limits";
import { WebSocket } from "ws";
import type { Clock } from "../clock.ts";
import { authorityInChain, verifiedOptions } from "./trust.ts";

/** One way to the collector. */
export type Hop = { readonly kind: "direct" } | { readonly kind: "proxy"; readonly proxy: ProxyAddress };

/** Ways out that this machine's own settings give for an https URL, best first. */
export type RouteFor = (url: string) => Promise<readonly Hop[]>;

export interface ConnectOptions {
  readonly url: URL;
  /** Hex SHA-256 of the SPKI of the collector's authority; null = the operating system's trust decides. */
  readonly pin: string | null;
  /** The operating system's certificates (domain 5.0 rule 2). */
  readonly systemTrust: () => SecureContext;
  readonly routeFor: RouteFor;
  readonly clock: Pick<Clock, "setTimer">;
  readonly userAgent: string;
  /** For each way out: TCP, CONNECT, TLS and upgrade together. */
  readonly timeoutMs?: number;
}

export interface Connection {
  readonly socket: WebSocket;
  /** `direct` or `px1.contoso.com:8080`. */
  readonly via: string;
}

/** Opens connections to one collector; remembers the pinned authority between them. */
export type Connect = () => Promise<Connection>;

/** The collector turned the connection away for now and said for how long. */
export class TurnedAway extends Error {
  readonly retryAfterSeconds: number | null;
  constructor(status: number, retryAfter: string | undefined) {
    super(`the collector answered the upgrade with ${status}`);
    const seconds = Number(retryAfter);
    this.retryAfterSeconds = retryAfter !== undefined && seconds >= 0 ? Math.min(seconds, 86_400) : null;
  }
}

const maxConnectAnswerBytes = 16 * 1024;
const describe = (hop: Hop) => (hop.kind === "direct" ? "direct" : `${hop.proxy.host}:${hop.proxy.port}`);

/**
 * Makes the function that opens a verified WebSocket. It tries the machine's own ways out in their order and at last
 * direct; the first that ends in a verified upgrade wins.
 */
export function connector(options: ConnectOptions): Connect {
  const { url, pin, clock, timeoutMs = 15_000 } = options;
  /** Learnt from the chain by its pin; a PEM. */
  let authority: string | null = null;

  async function tunnel(hop: Hop, signal: AbortSignal): Promise<Socket> {
    const port = Number(url.port || (url.protocol === "wss:" ? 443 : 80));
    const host = url.hostname.replace(/^\[|\]$/g, "");
    if (hop.kind === "direct") return opened(connectTcp({ host, port }), "connect", signal);
    const { proxy } = hop;
    if (proxy.scheme !== "http" && proxy.scheme !== "https")
      throw new Error(`a ${proxy.scheme} proxy is not a way to the collector`);
    const plain = await opened(connectTcp({ host: proxy.host, port: proxy.port }), "connect", signal);
    const socket = proxy.scheme === "https" ? await secure(plain, proxy.host, systemTrust(), signal) : plain;
    return connectThrough(socket, `${url.hostname}:${port}`, options.userAgent, signal);
  }

  const systemTrust = (): ConnectionOptions => ({ secureContext: options.systemTrust(), rejectUnauthorized: true });

  async function verified(hop: Hop, signal: AbortSignal): Promise<Socket> {
    const host = url.hostname.replace(/^\[|\]$/g, "");
    if (pin === null) return secure(await tunnel(hop, signal), host, systemTrust(), signal);
    if (authority !== null) {
      try {
        return await secure(await tunnel(hop, signal), host, verifiedOptions(authority), signal);
      } catch (error) {
        if (signal.aborted) throw error;
        // The authority may have been made anew with the same key; its certificate is then another.
        authority = null;
      }
    }
    // First only look at the chain: nothing is sent over this connection.
    const looked = await secure(await tunnel(hop, signal), host, { ca: [], rejectUnauthorized: false }, signal);
    const candidate = authorityInChain(looked.getPeerCertificate(true), pin);
    looked.destroy();
    if (candidate === null)
      throw new Error(
        `the collector's certificate chain holds no certificate with the pinned key ${pin.slice(0, 16)}…`,
      );
    // Then let OpenSSL build and judge the chain with that certificate as the only root.
    const socket = await secure(await tunnel(hop, signal), host, verifiedOptions(candidate), signal);
    authority = candidate;
    return socket;
  }

  async function attempt(hop: Hop): Promise<WebSocket> {
    const abort = new AbortController();
    const cancel = clock.setTimer(() => abort.abort(new Error(`no answer within ${timeoutMs / 1000} s`)), timeoutMs);
    try {
      const stream = await (url.protocol === "wss:" ? verified(hop, abort.signal) : tunnel(hop, abort.signal));
      return await upgrade(stream, abort.signal);
    } finally {
      cancel();
    }
  }

  function upgrade(stream: Socket, signal: AbortSignal): Promise<WebSocket> {
    return new Promise((resolve, reject) => {
      const socket = new WebSocket(url, {
        createConnection: () => stream,
        maxPayload: limits.messageBytes,
        perMessageDeflate: false,
        followRedirects: false,
        headers: { "user-agent": options.userAgent },
      });
      const fail = (error: Error) => {
        signal.removeEventListener("abort", onAbort);
        stream.destroy();
        reject(error);
      };
      const onAbort = () => fail(signal.reason as Error);
      signal.addEventListener("abort", onAbort, { once: true });
      socket.once("error", fail);
      socket.once("unexpected-response", (_request, response) =>
        fail(new TurnedAway(response.statusCode ?? 0, response.headers["retry-after"])),
      );
      socket.once("open", () => {
        signal.removeEventListener("abort", onAbort);
        // What the collector said together with the upgrade waits until the link listens.
        socket.pause();
        socket.off("error", fail);
        socket.on("error", () => {});
        resolve(socket);
      });
    });
  }

  return async () => {
    const target = new URL(url);
    target.protocol = target.protocol === "ws:" ? "http:" : "https:";
    let hops: readonly Hop[];
    try {
      hops = await options.routeFor(target.href);
    } catch {
      // Settings that cannot be read must not keep the machine silent.
      hops = [];
    }
    const ways = hops.filter((hop) => hop.kind === "proxy").slice(0, 4);
    const directFirst = hops[0]?.kind === "direct";
    const ordered: Hop[] = directFirst ? [{ kind: "direct" }, ...ways] : [...ways, { kind: "direct" }];
    const failures: string[] = [];
    for (const hop of ordered) {
      try {
        return { socket: await attempt(hop), via: describe(hop) };
      } catch (error) {
        // It was the collector who said it, so another way would not help.
        if (error instanceof TurnedAway && error.retryAfterSeconds !== null) throw error;
        failures.push(`${describe(hop)}: ${(error as Error).message}`);
      }
    }
    throw new Error(failures.join("; "));
  };
}

/** Waits for a socket's event; destroys it and throws the signal's reason when that comes first. */
async function opened<T extends Socket>(
  socket: T,
  event: "connect" | "secureConnect",
  signal: AbortSignal,
): Promise<T> {
  // A late error of a socket that is given up must not end the process.
  socket.on("error", () => {});
  try {
    await once(socket, event, { signal });
    return socket;
  } catch (error) {
    socket.destroy();
    throw signal.aborted ? signal.reason : error;
  }
}

function secure(socket: Socket, host: string, trust: ConnectionOptions, signal: AbortSignal): Promise<TLSSocket> {
  return opened(
    connectTls({
      ...trust,
      socket,
      host,
      // A literal address must not be sent as a server name (RFC 6066).
      ...(isIP(host) ? {} : { servername: host }),
      ALPNProtocols: ["http/1.1"],
      minVersion: "TLSv1.2",
    }),
    "secureConnect",
    signal,
  );
}

/** Asks an HTTP proxy for a tunnel. Sends no credentials and answers no challenge. */
function connectThrough(socket: Socket, authority: string, userAgent: string, signal: AbortSignal): Promise<Socket> {
  return new Promise((resolve, reject) => {
    let received = Buffer.alloc(0);
    const done = (error: Error | null, rest?: Buffer) => {
      signal.removeEventListener("abort", onAbort);
      socket.off("data", onData);
      socket.off("close", onClose);
      if (error) {
        socket.destroy();
        return reject(error);
      }
      socket.pause();
      if (rest && rest.length > 0) socket.unshift(rest);
      resolve(socket);
    };
    const onAbort = () => done(signal.reason as Error);
    const onClose = () => done(new Error("the proxy closed the connection before it answered CONNECT"));
    const onData = (chunk: Buffer) => {
      received = Buffer.concat([received, chunk]);
      const end = received.indexOf("\r\n\r\n");
      if (end < 0) {
        if (received.length > maxConnectAnswerBytes) done(new Error("the proxy's answer to CONNECT is too long"));
        return;
      }
      const status = /^HTTP\/1\.[01] (\d{3})/.exec(received.toString("latin1", 0, 64))?.[1];
      if (status === undefined) return done(new Error("the proxy's answer to CONNECT is not HTTP"));
      if (!status.startsWith("2")) return done(new Error(`the proxy answered CONNECT with ${status}`));
      done(null, received.subarray(end + 4));
    };
    signal.addEventListener("abort", onAbort, { once: true });
    socket.on("data", onData);
    socket.once("close", onClose);
    socket.write(`CONNECT ${authority} HTTP/1.1\r\nHost: ${authority}\r\nUser-Agent: ${userAgent}\r\n\r\n`);
  });
}
