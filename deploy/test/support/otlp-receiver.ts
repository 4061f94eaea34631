import { gunzipSync } from "node:zlib";
import { httpServer } from "@lynceus/testkit/http-server";

interface Attribute {
  readonly key: string;
  readonly value: { readonly stringValue?: string; readonly intValue?: string | number };
}
export interface ReceivedSpan {
  readonly traceId: string;
  readonly spanId: string;
  readonly parentSpanId?: string;
  readonly name: string;
  readonly attributes: readonly Attribute[];
}

/** What an OpenTelemetry collector is to us: takes OTLP/HTTP in JSON on `/v1/traces`. */
export async function otlpReceiver() {
  const spans: (ReceivedSpan & { service: string })[] = [];
  /** All that came, for a search through it. */
  const texts: string[] = [];
  const server = await httpServer((request, response) => {
    const chunks: Buffer[] = [];
    request.on("data", (chunk: Buffer) => chunks.push(chunk));
    request.on("end", () => {
      const body = Buffer.concat(chunks);
      const text = (request.headers["content-encoding"] === "gzip" ? gunzipSync(body) : body).toString();
      texts.push(text);
      for (const { resource, scopeSpans } of JSON.parse(text).resourceSpans) {
        const service = resource.attributes.find(({ key }: Attribute) => key === "service.name")?.value.stringValue;
        for (const scope of scopeSpans) for (const span of scope.spans) spans.push({ ...span, service });
      }
      response.writeHead(200, { "content-type": "application/json" }).end("{}");
    });
  });
  return { server, spans, texts, endpoint: `http://127.0.0.1:${server.port}` };
}

export const attributeOf = (span: ReceivedSpan, key: string) => {
  const value = span.attributes.find((attribute) => attribute.key === key)?.value;
  return value?.stringValue ?? (value?.intValue === undefined ? undefined : Number(value.intValue));
};
