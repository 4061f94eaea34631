import { createServer, type IncomingHttpHeaders, type IncomingMessage, type ServerResponse } from "node:http";
import { createServer as createTlsServer } from "node:https";
import type { ServerCertificate } from "@lynceus/testkit/certificates";
import { type Listening, listen } from "@lynceus/testkit/listening";

/** What a vendor's server was sent, whole. */
export interface Received {
  readonly method: string;
  readonly url: string;
  readonly headers: IncomingHttpHeaders;
  readonly body: string;
}

export interface VendorAnswer {
  readonly status: number;
  readonly headers?: Readonly<Record<string, string>>;
  readonly body?: unknown;
}

export interface VendorServer extends Listening {
  readonly received: Received[];
  /** `http://127.0.0.1:port`, or https. */
  readonly origin: string;
  /** What it answers from now on; a function sees the request. */
  answers(answer: VendorAnswer | ((request: Received) => VendorAnswer)): void;
  /** The first request that fits, come already or still to come. */
  until(fits: (request: Received) => boolean): Promise<Received>;
}

/** A server that takes what a receiver sends and answers as its vendor does. */
export async function vendorServer(certificate?: ServerCertificate): Promise<VendorServer> {
  const received: Received[] = [];
  const waiting = new Set<() => void>();
  let answer: (request: Received) => VendorAnswer = () => ({ status: 200 });
  const handle = (request: IncomingMessage, response: ServerResponse) => {
    const chunks: Buffer[] = [];
    request.on("data", (chunk: Buffer) => chunks.push(chunk));
    request.on("end", () => {
      const body = Buffer.concat(chunks).toString("utf8");
      const seen = { method: request.method ?? "", url: request.url ?? "", headers: request.headers, body };
      received.push(seen);
      for (const look of waiting) look();
      const { status, headers, body: answered = "" } = answer(seen);
      response.writeHead(status, headers);
      response.end(typeof answered === "string" ? answered : JSON.stringify(answered));
    });
  };
  const server = certificate
    ? createTlsServer({ cert: certificate.cert, key: certificate.key }, handle)
    : createServer(handle);
  server.on("tlsClientError", () => {});
  const listening = await listen(server);
  return {
    ...listening,
    received,
    origin: `${certificate ? "https" : "http"}://${listening.host}:${listening.port}`,
    until: (fits) =>
      new Promise((resolve) => {
        const look = () => {
          const found = received.find(fits);
          if (found === undefined) return;
          waiting.delete(look);
          resolve(found);
        };
        waiting.add(look);
        look();
      }),
    answers(next) {
      answer = typeof next === "function" ? next : () => next;
    },
  };
}
