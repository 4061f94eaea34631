import { type Attributes, context, propagation, type Span, SpanKind, SpanStatusCode, trace } from "@opentelemetry/api";

/*
 * Spans of our own work. Without an SDK (tracing.ts) each of these is a call that does nothing.
 */

/** Asked for each time: a tracer that was got before the SDK came would stay without it where that is a bundle of its own. */
const tracer = () => trace.getTracer("lynceus");

function fail(span: Span, error: unknown): void {
  // The message may quote data: its kind says enough, and the log has the rest.
  span.setStatus({ code: SpanStatusCode.ERROR, message: error instanceof Error ? error.name : "Error" });
}

/** Runs work that nobody waits for as a trace of its own. What it rejects with marks the span and is passed on. */
export function asTrace<T>(name: string, attributes: Attributes, work: () => Promise<T>): Promise<T> {
  return tracer().startActiveSpan(name, { attributes, root: true }, async (span) => {
    try {
      return await work();
    } catch (error) {
      fail(span, error);
      throw error;
    } finally {
      span.end();
    }
  });
}

/** A request that a server answers: joins the caller's trace (W3C traceparent), ends when `end` is called. */
export interface RequestSpan {
  /** Runs what answers the request within the span. */
  run(work: () => void): void;
  end(answer: { readonly route: string; readonly status: number }): void;
}

export function startRequestSpan(method: string, headers: Readonly<Record<string, unknown>>): RequestSpan {
  const parent = propagation.extract(context.active(), headers);
  const attributes = { "http.request.method": method };
  const span = tracer().startSpan(method, { kind: SpanKind.SERVER, attributes }, parent);
  return {
    run: (work) => context.with(trace.setSpan(parent, span), work),
    end({ route, status }) {
      span.updateName(`${method} ${route}`);
      span.setAttributes({ "http.route": route, "http.response.status_code": status });
      if (status >= 500) span.setStatus({ code: SpanStatusCode.ERROR });
      span.end();
    },
  };
}

/** A query to the database, by its text, which holds no values. Returns what ends it. */
export function startQuerySpan(text: string): (error?: unknown) => void {
  // Alone a query says little: outside of any work of ours (LISTEN, the job queue) there is none.
  if (!trace.getActiveSpan()) return () => {};
  const operation = /^\s*(\w+)/.exec(text)?.[1]?.toUpperCase() ?? "QUERY";
  const span = tracer().startSpan(operation, {
    kind: SpanKind.CLIENT,
    attributes: { "db.system.name": "postgresql", "db.query.text": text.slice(0, 2_000) },
  });
  return (error) => {
    if (error) fail(span, error);
    span.end();
  };
}
