/*
 * OpenTelemetry traces, off unless the environment names who takes them. What exports them is loaded then and not before:
 * it costs some 15 MB of memory.
 */

export interface TracingOptions {
  /** `service.name`, unless OTEL_SERVICE_NAME says otherwise. */
  readonly service: string;
  readonly version: string;
  readonly env: Readonly<Record<string, string | undefined>>;
}

export interface Tracing {
  /** Sends what waits, within some seconds, and ends. */
  stop(): Promise<void>;
}

/** Whether the environment asks for traces, by OpenTelemetry's own variables. @throws Error of one line on what we cannot do */
export function wantsTraces(env: TracingOptions["env"]): boolean {
  const name = env.OTEL_EXPORTER_OTLP_TRACES_ENDPOINT
    ? "OTEL_EXPORTER_OTLP_TRACES_ENDPOINT"
    : "OTEL_EXPORTER_OTLP_ENDPOINT";
  const endpoint = env[name];
  if (!endpoint || env.OTEL_SDK_DISABLED?.toLowerCase() === "true" || env.OTEL_TRACES_EXPORTER === "none") return false;
  if (!/^https?:\/\/[^/\s]/.test(endpoint))
    throw new Error(`${name} "${endpoint}" is not an address; use e.g. http://otel.example.org:4318`);
  const protocol = env.OTEL_EXPORTER_OTLP_TRACES_PROTOCOL ?? env.OTEL_EXPORTER_OTLP_PROTOCOL ?? "http/json";
  if (protocol !== "http/json")
    throw new Error(`OTEL_EXPORTER_OTLP_PROTOCOL "${protocol}" is not spoken here; use http/json, on port 4318`);
  return true;
}

/** Starts to export traces where the environment asks for it; else null, and nothing is loaded. */
export async function startTracing(options: TracingOptions): Promise<Tracing | null> {
  if (!wantsTraces(options.env)) return null;
  const { startSdk } = await import("@lynceus/telemetry/sdk");
  return startSdk(options);
}
