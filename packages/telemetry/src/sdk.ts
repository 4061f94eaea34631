import { OTLPTraceExporter } from "@opentelemetry/exporter-trace-otlp-http";
import { defaultResource, resourceFromAttributes } from "@opentelemetry/resources";
import { BatchSpanProcessor, NodeTracerProvider } from "@opentelemetry/sdk-trace-node";
import type { Tracing, TracingOptions } from "./tracing.ts";
import { withoutQueries } from "./without-queries.ts";

/** Registers the SDK: endpoint, headers, sampler and limits come from OpenTelemetry's own environment variables. */
export function startSdk({ service, version, env }: TracingOptions): Tracing {
  const provider = new NodeTracerProvider({
    resource: defaultResource().merge(
      resourceFromAttributes({ "service.name": env.OTEL_SERVICE_NAME ?? service, "service.version": version }),
    ),
    spanProcessors: [withoutQueries, new BatchSpanProcessor(new OTLPTraceExporter())],
  });
  provider.register();
  return { stop: () => provider.shutdown().catch(() => {}) };
}
