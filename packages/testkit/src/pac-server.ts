import { type HttpServer, httpServer } from "./http-server.ts";

export interface PacServerOptions {
  readonly status?: number;
  readonly contentType?: string;
  readonly headers?: Record<string, string | string[]>;
  /** Never answers. */
  readonly hang?: boolean;
}

/** Serves one proxy script at every path. */
export const pacServer = (
  script: string | Buffer,
  {
    status = 200,
    contentType = "application/x-ns-proxy-autoconfig",
    headers = {},
    hang = false,
  }: PacServerOptions = {},
): Promise<HttpServer> =>
  httpServer((_, response) => {
    if (hang) return;
    response.writeHead(status, { "Content-Type": contentType, ...headers });
    response.end(script);
  });
