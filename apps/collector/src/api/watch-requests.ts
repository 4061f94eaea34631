import { type RequestSpan, startRequestSpan } from "@lynceus/telemetry/spans";
import type { FastifyInstance } from "fastify";
import type { Metrics } from "../metrics/metrics.ts";

declare module "fastify" {
  interface FastifyRequest {
    span: RequestSpan | null;
  }
}

/** Each request in a span of its own, and its time by route: never by address, which holds ids and filters. */
export function watchRequests(app: FastifyInstance, metrics: Metrics): void {
  app.decorateRequest("span", null);
  app.addHook("onRequest", (request, _reply, done) => {
    request.span = startRequestSpan(request.method, request.headers);
    request.span.run(done);
  });
  app.addHook("onResponse", async (request, reply) => {
    const { method } = request;
    const route = request.routeOptions.url ?? "none";
    request.span?.end({ route, status: reply.statusCode });
    metrics.httpSeconds.observe(
      { method, route, status: `${Math.floor(reply.statusCode / 100)}xx` },
      reply.elapsedTime / 1000,
    );
  });
}
