import { randomUUID } from "node:crypto";
import rateLimit from "@fastify/rate-limit";
import swagger from "@fastify/swagger";
import fastify, { type FastifyInstance, LogController } from "fastify";
import { serializerCompiler, validatorCompiler } from "fastify-type-provider-zod";
import type { Logger } from "pino";
import type { CollectorConfig } from "../config.ts";
import type { EventStream } from "../event-stream.ts";
import type { Metrics } from "../metrics/metrics.ts";
import type { TlsMaterial } from "../tls.ts";
import { type AboutRoutesOptions, aboutRoutes } from "./about-routes.ts";
import { type AlertingRoutesOptions, alertingRoutes } from "./alerting-routes.ts";
import { requireTokens } from "./auth.ts";
import { configurationRoutes } from "./configuration-routes.ts";
import { docsRoutes } from "./docs-routes.ts";
import { documentOptions } from "./document.ts";
import { handleErrors } from "./errors.ts";
import { eventRoutes } from "./event-routes.ts";
import { fleetRoutes } from "./fleet-routes.ts";
import { incidentRoutes } from "./incident-routes.ts";
import { type HookOptions, pagerDutyHook } from "./pagerduty-hook.ts";
import { type ApiOptions, apiRoutes } from "./routes.ts";
import { type SeriesRoutesOptions, seriesRoutes } from "./series-routes.ts";
import { toolsRoutes } from "./tools-routes.ts";
import { watchRequests } from "./watch-requests.ts";

export interface AppOptions
  extends ApiOptions,
    SeriesRoutesOptions,
    AboutRoutesOptions,
    AlertingRoutesOptions,
    HookOptions {
  readonly config: CollectorConfig;
  readonly metrics: Metrics;
  readonly tls: TlsMaterial | null;
  readonly log: Logger;
  readonly events: EventStream;
  /** Null: ready to serve; else why not. */
  readonly readiness: () => Promise<string | null>;
  /** Whether `/metrics` is for everyone. */
  readonly openMetrics: boolean;
  /** Called before `/metrics` is written. */
  readonly onScrape: () => Promise<void>;
}

/** The HTTP side of the collector: read API, its document, metrics and health. */
export async function createApp(options: AppOptions): Promise<FastifyInstance> {
  const { tls, metrics, version } = options;
  const app = fastify({
    ...(tls ? { https: { cert: tls.cert, key: tls.key, minVersion: "TLSv1.2" as const } } : {}),
    loggerInstance: options.log,
    logController: new LogController({ disableRequestLogging: true }),
    genReqId: () => randomUUID(),
    bodyLimit: 64 * 1024,
    requestTimeout: 30_000,
    routerOptions: { maxParamLength: 256 },
  }) as unknown as FastifyInstance;
  app.server.headersTimeout = 10_000;
  app.setValidatorCompiler(validatorCompiler);
  app.setSerializerCompiler(serializerCompiler);
  handleErrors(app);
  watchRequests(app, metrics);

  await app.register(rateLimit, {
    max: options.config.apiRequestsPerMinute,
    timeWindow: 60_000,
    allowList: (request) => request.routeOptions.config.right === undefined,
  });
  await app.register(swagger, documentOptions(version));
  // Before any route, so that it sees all of them.
  requireTokens(app, options.db, options.now);

  await app.register(apiRoutes(options), { prefix: "/api/v1" });
  await app.register(fleetRoutes, { prefix: "/api/v1" });
  await app.register(toolsRoutes(options), { prefix: "/api/v1" });
  await app.register(seriesRoutes(options), { prefix: "/api/v1" });
  await app.register(aboutRoutes(options), { prefix: "/api/v1" });
  await app.register(incidentRoutes(options), { prefix: "/api/v1" });
  await app.register(alertingRoutes(options), { prefix: "/api/v1" });
  await app.register(configurationRoutes(options), { prefix: "/api/v1" });
  await app.register(pagerDutyHook(options), { prefix: "/api/v1" });
  await app.register(eventRoutes(options.events), { prefix: "/api/v1" });
  app.get("/api/v1/openapi.json", { config: { open: "it describes the API" }, schema: { hide: true } }, async () =>
    app.swagger(),
  );
  await app.register(docsRoutes);
  app.get("/healthz", { config: { open: "health checks have no token" }, schema: { hide: true } }, async () => ({
    status: "ok",
  }));
  app.get(
    "/readyz",
    { config: { open: "health checks have no token" }, schema: { hide: true } },
    async (_request, reply) => {
      const why = await options.readiness();
      return why === null ? { status: "ready" } : reply.status(503).send({ status: "not ready", why });
    },
  );
  // They name sites and count machines, on a port that every agent reaches: not for everyone.
  const scrapers = options.openMetrics
    ? { open: "--metrics-open: nobody else reaches the port" }
    : { right: "oversee" as const };
  app.get("/metrics", { config: scrapers, schema: { hide: true } }, async (_request, reply) => {
    await options.onScrape();
    return reply.type(metrics.registry.contentType).send(await metrics.registry.metrics());
  });
  return app;
}
