import type { HttpPhase } from "@lynceus/protocol/facts";

export type BodyClass = HttpPhase["bodyClass"];

/** Bytes of a body that are read at all (domain 3.2). */
export const inspectedBytes = 2048;

/** Marks that proxies leave in the pages they make themselves (domain 3.3). */
const proxyMarks =
  /<!--\s*ERR_[A-Z_]+|\b(?:zscaler|blue ?coat|websense|forcepoint|mcafee web gateway|netskope|fortiguard|cisco umbrella)\b/i;

/**
 * What kind of page a body is, from its first 2 KiB, the only trace of it that leaves the machine (domain 3.2).
 * @param contentType value of the header, or `""`.
 */
export function classifyBody(body: Uint8Array, contentType: string): BodyClass {
  if (body.length === 0) return "empty";
  if (body.includes(0)) return "binary";
  const text = Buffer.from(body)
    .toString("utf8")
    .replace(/^\ufeff/, "")
    .trim();
  if (text === "") return "empty";
  if (/^200 OK\b/.test(text)) return "health-ok";
  if (text === "Microsoft Connect Test") return "control-ok";
  if (/^[[{]/.test(text)) return /"_links"\s*:/.test(text) ? "json-links" : "json";
  if (proxyMarks.test(text)) return "proxy-page";
  if (/^<\?xml\b/i.test(text) && !/<html\b/i.test(text)) return "xml";
  if (/<!doctype html|<html\b|<head\b|<body\b|<title\b|<form\b/i.test(text) || /\bhtml\b/i.test(contentType))
    return /<input\b[^>]*type\s*=\s*["']?password/i.test(text) ? "html-form" : "html";
  if (/\bxml\b/i.test(contentType) || /^<[a-z][\w:.-]*[\s>]/i.test(text)) return "xml";
  return "text";
}
