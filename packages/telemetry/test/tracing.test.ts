import { BasicTracerProvider, InMemorySpanExporter, SimpleSpanProcessor } from "@opentelemetry/sdk-trace-node";
import { describe, expect, it } from "vitest";
import { asTrace, startQuerySpan, startRequestSpan } from "../src/spans.ts";
import { startTracing, wantsTraces } from "../src/tracing.ts";
import { withoutQueries } from "../src/without-queries.ts";

describe("whether traces are asked for", () => {
  it.each([
    [{}, false],
    [{ OTEL_EXPORTER_OTLP_ENDPOINT: "http://otel:4318" }, true],
    [{ OTEL_EXPORTER_OTLP_TRACES_ENDPOINT: "https://otel/v1/traces" }, true],
    [{ OTEL_EXPORTER_OTLP_ENDPOINT: "http://otel:4318", OTEL_SDK_DISABLED: "true" }, false],
    [{ OTEL_EXPORTER_OTLP_ENDPOINT: "http://otel:4318", OTEL_TRACES_EXPORTER: "none" }, false],
  ])("%j: %s", (env, wanted) => {
    expect(wantsTraces(env)).toBe(wanted);
  });

  it.each([
    [{ OTEL_EXPORTER_OTLP_ENDPOINT: "otel:4318" }, /"otel:4318" is not an address; use e\.g\. http:/],
    [
      { OTEL_EXPORTER_OTLP_ENDPOINT: "http://otel:4317", OTEL_EXPORTER_OTLP_PROTOCOL: "grpc" },
      /"grpc" is not spoken here/,
    ],
  ])("%j is refused", (env, message) => {
    expect(() => wantsTraces(env)).toThrow(message);
  });

  it("starts nothing where they are not", async () => {
    expect(await startTracing({ service: "x", version: "1", env: {} })).toBeNull();
  });
});

describe("without an SDK", () => {
  it("work runs as it would, and its error is passed on", async () => {
    expect(await asTrace("work", {}, async () => 7)).toBe(7);
    await expect(asTrace("work", {}, () => Promise.reject(new Error("no")))).rejects.toThrow("no");
    startQuerySpan("SELECT 1")();
    let ran = false;
    const request = startRequestSpan("GET", {});
    request.run(() => {
      ran = true;
    });
    request.end({ route: "/x", status: 200 });
    expect(ran).toBe(true);
  });
});

it("the query of an address goes into no span", () => {
  const exporter = new InMemorySpanExporter();
  const provider = new BasicTracerProvider({ spanProcessors: [withoutQueries, new SimpleSpanProcessor(exporter)] });
  const attributes = {
    "http.target": "/machines?q=name:ann",
    "url.full": "http://lynceus/machines?q=name:ann",
    "url.query": "q=name:ann",
    "db.query.text": "SELECT ?",
  };
  provider.getTracer("test").startSpan("GET /machines?q=name:ann", { attributes }).end();
  const [span] = exporter.getFinishedSpans();
  expect(span?.name).toBe("GET /machines");
  expect(span?.attributes).toEqual({
    "http.target": "/machines",
    "url.full": "http://lynceus/machines",
    "url.query": "",
    "db.query.text": "SELECT ?",
  });
});
