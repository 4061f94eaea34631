import type { Span, SpanProcessor } from "@opentelemetry/sdk-trace-node";

/** @example withoutQuery("GET /machines?q=name:pc1") === "GET /machines" */
const withoutQuery = (text: string): string => text.replace(/\?.*/s, "");

/** Where frameworks put a whole address. */
const addresses = ["http.target", "http.url", "url.full", "url.query", "url.path", "next.span_name"];

/** A filter names machines and people: the query of an address goes into no trace. */
export const withoutQueries: SpanProcessor = {
  onStart(span: Span) {
    if (/^[A-Z]+ \//.test(span.name) || URL.canParse(span.name)) span.updateName(withoutQuery(span.name));
    for (const key of addresses) {
      const value = span.attributes[key];
      if (typeof value === "string") span.setAttribute(key, key === "url.query" ? "" : withoutQuery(value));
    }
  },
  onEnd() {},
  forceFlush: async () => {},
  shutdown: async () => {},
};
