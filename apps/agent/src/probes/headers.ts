import { limits } from "@lynceus/protocol/limits";
import { bearerClientId, parseWwwAuthenticate, schemesOf } from "@lynceus/protocol/www-authenticate";

/** Headers that may leave the machine (domain 3.2 and 5.0 rule 18); everything else is dropped. */
const allowed = new Set([
  "server",
  "via",
  "x-cache",
  "x-squid-error",
  "proxy-authenticate",
  "proxy-support",
  "proxy-connection",
  "www-authenticate",
  "location",
  "content-type",
  "content-length",
  "date",
  "retry-after",
  "x-feserver",
  "x-beserver",
  "x-calculatedbetarget",
  "x-calculatedfetarget",
  "x-owa-version",
  "x-caserrorcode",
  "x-powered-by",
  "request-id",
  "x-ms-server-fqdn",
  "x-ms-webticketurl",
  "x-ms-diagnostics",
  "x-soap-enabled",
  "x-wssecurity-enabled",
  "x-oauth-enabled",
  "cf-ray",
  "x-iinfo",
  "set-cookie",
  "connection",
  "age",
]);

/** Scheme, host and path of a URL: no userinfo, query or fragment. A relative one keeps its path. */
export function redactUrl(value: string): string {
  const base = "http://relative.invalid";
  try {
    const url = new URL(value.trim(), base);
    const whole =
      url.origin === "null" ? `${url.protocol}//${url.host}${url.pathname}` : `${url.origin}${url.pathname}`;
    return (url.origin === base ? url.pathname : whole).slice(0, limits.urlChars);
  } catch {
    return "";
  }
}

/** Schemes with the realm where it is a host name; tokens and every other parameter are dropped. */
function redactChallenges(values: readonly string[]): string {
  return parseWwwAuthenticate(values)
    .map(({ scheme, params }) => {
      const realm = params.get("realm") ?? "";
      return /^[a-z0-9-]+(\.[a-z0-9-]+)+$/i.test(realm) ? `${scheme} realm="${realm}"` : scheme;
    })
    .join(", ");
}

const cookieName = (value: string) => (value.split("=", 1)[0] ?? "").split(";", 1)[0]?.trim() ?? "";

function redact(name: string, values: readonly string[]): string {
  switch (name) {
    case "www-authenticate":
    case "proxy-authenticate":
      return redactChallenges(values);
    case "location":
    case "x-ms-webticketurl":
      return redactUrl(values[0] ?? "");
    case "set-cookie":
      return values.map(cookieName).filter(Boolean).join(", ");
    default:
      return values.join(", ");
  }
}

/** What may be reported of a header block. */
export interface ReportedHeaders {
  /** Names in lower case, values redacted. */
  readonly headers: Record<string, string>;
  /** Schemes of www-authenticate and proxy-authenticate, lower case, in order. */
  readonly wwwAuth: string[];
  readonly proxyAuth: string[];
  readonly bearerClientId: string | null;
}

/**
 * Reduces a header block to what domain 3.2 allows.
 * @param raw names and values in turn, as Node's `rawHeaders` has them.
 */
export function reportHeaders(raw: readonly string[]): ReportedHeaders {
  const values = new Map<string, string[]>();
  for (let i = 0; i + 1 < raw.length; i += 2) {
    const name = (raw[i] ?? "").toLowerCase();
    const known = values.get(name);
    if (known) known.push(raw[i + 1] ?? "");
    else if (allowed.has(name)) values.set(name, [raw[i + 1] ?? ""]);
  }
  const headers: Record<string, string> = {};
  for (const [name, all] of values) {
    headers[name] = redact(name, all)
      .replace(/\p{Cc}/gu, " ")
      .slice(0, limits.headerChars);
  }
  const challenges = parseWwwAuthenticate(values.get("www-authenticate") ?? []);
  return {
    headers,
    wwwAuth: schemesOf(challenges),
    proxyAuth: schemesOf(parseWwwAuthenticate(values.get("proxy-authenticate") ?? [])),
    bearerClientId: bearerClientId(challenges),
  };
}
