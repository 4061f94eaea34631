import { createServer, type IncomingHttpHeaders, type IncomingMessage, type ServerResponse } from "node:http";
import { createServer as createTlsServer } from "node:https";
import type { ServerCertificate } from "./certificates.ts";
import { type Listening, listen } from "./listening.ts";

/** What came in, so that a test can say what was, and above all what was never, sent. */
export interface SeenRequest {
  readonly method: string;
  readonly url: string;
  readonly headers: IncomingHttpHeaders;
}

export interface HttpServer extends Listening {
  readonly requests: SeenRequest[];
}

export type Handler = (request: IncomingMessage, response: ServerResponse) => void;

/** An http server, or https where a certificate is given, that remembers its requests. */
export async function httpServer(handler: Handler, certificate?: ServerCertificate): Promise<HttpServer> {
  const requests: SeenRequest[] = [];
  const onRequest: Handler = (request, response) => {
    requests.push({ method: request.method ?? "", url: request.url ?? "", headers: request.headers });
    handler(request, response);
  };
  const server = certificate
    ? createTlsServer({ cert: certificate.cert, key: certificate.key, ALPNProtocols: ["http/1.1"] }, onRequest)
    : createServer(onRequest);
  server.on("tlsClientError", () => {});
  return { ...(await listen(server)), requests };
}
