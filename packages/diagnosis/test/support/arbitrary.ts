import type { Observation } from "@lynceus/protocol/facts";
import { locations } from "@lynceus/protocol/names";
import type { Policy } from "@lynceus/protocol/policy";
import fc from "fast-check";
import { script, settingsWith, start } from "./machine.ts";

/* Observations of the schema by chance, with the policy's own targets and one of a few configurations. */

const ms = fc.integer({ min: 0, max: 20_000 });
const text = fc.string({ maxLength: 40, unit: "binary" });
const orNull = <T>(value: fc.Arbitrary<T>) => fc.option(value, { nil: null, freq: 3 });
const configuration = fc.constantFrom("c1", "c2", "constructor");
const headers = fc.dictionary(
  fc.constantFrom(
    "server",
    "via",
    "x-feserver",
    "request-id",
    "x-squid-error",
    "proxy-authenticate",
    "x-ms-server-fqdn",
  ),
  fc.oneof(text, fc.constantFrom("Microsoft-IIS/10.0", "squid/6.9", 'Basic realm="x"')),
);
const schemes = fc.array(fc.oneof(fc.constantFrom("negotiate", "ntlm", "basic", "bearer"), text), { maxLength: 4 });
const status = fc.oneof(
  fc.constantFrom(200, 302, 401, 403, 404, 407, 440, 503, 511),
  fc.integer({ min: 100, max: 999 }),
);
const host = fc.oneof(fc.constantFrom("mail.example.org", "px1.example.org", "."), text);

const dns = fc.record({
  ok: fc.boolean(),
  name: host,
  rcode: fc.constantFrom("NOERROR", "NXDOMAIN", "SERVFAIL", "TIMEOUT", "LITERAL", "x"),
  addresses: fc.array(text, { maxLength: 3 }),
  ms,
});
const tcp = fc.record({
  ok: fc.boolean(),
  host,
  address: orNull(text),
  port: fc.integer({ min: 1, max: 65_535 }),
  error: orNull(fc.constantFrom("refused" as const, "timeout" as const, "reset" as const, "other" as const)),
  ms,
});
const connect = fc.record({
  status: orNull(status),
  error: orNull(fc.constantFrom("timeout" as const, "reset" as const, "protocol" as const, "socks" as const)),
  proxyAuthSchemes: schemes,
  headers,
  ms,
});
const instant = orNull(fc.integer({ min: 0, max: 8_640_000_000_000 }));
const tls = fc.record({
  ok: fc.boolean(),
  error: orNull(
    fc.constantFrom("name" as const, "untrusted" as const, "expired" as const, "reset" as const, "timeout" as const),
  ),
  detail: orNull(text),
  version: orNull(text),
  alpn: orNull(text),
  issuerCN: orNull(fc.oneof(text, fc.constantFrom("Zscaler Root CA", "Contoso CA"))),
  issuerO: orNull(text),
  subjectCN: orNull(text),
  sanMatch: orNull(fc.boolean()),
  chainOk: orNull(fc.boolean()),
  missingIntermediate: orNull(fc.boolean()),
  notBefore: instant,
  notAfter: instant,
  spkiSha256: orNull(fc.constantFrom("aa".repeat(32), "bb".repeat(32))),
  ms,
});
const http = fc.record({
  status: orNull(status),
  error: orNull(fc.constantFrom("timeout" as const, "reset" as const, "protocol" as const, "too-large" as const)),
  wwwAuth: schemes,
  bearerClientId: orNull(fc.constantFrom("00000002-0000-0ff1-ce00-000000000000", "x")),
  headers,
  location: orNull(fc.oneof(text, fc.webUrl(), fc.constantFrom("/owa/auth/logon.aspx", "http://[bad"))),
  bodyClass: fc.constantFrom(
    "empty" as const,
    "html" as const,
    "json-links" as const,
    "health-ok" as const,
    "control-ok" as const,
    "proxy-page" as const,
  ),
  proto: orNull(text),
  untrusted: fc.boolean(),
  redirects: fc.array(text, { maxLength: 3 }),
  ms,
});
const route = fc.record({
  kind: fc.constantFrom("direct" as const, "proxy" as const, "unknown" as const),
  proxy: orNull(
    fc.record({ scheme: fc.constantFrom("http" as const, "socks5" as const), host, port: fc.constant(8080) }),
  ),
  by: fc.constantFrom("auto-detect" as const, "pac" as const, "manual" as const, "none" as const, "forced" as const),
  list: text,
});

/** One observation by chance. */
export function arbitraryOf(policy: Policy): fc.Arbitrary<Observation> {
  const target = fc.constantFrom(...policy.targets);
  const probe = fc
    .record({
      target,
      configuration,
      via: fc.constantFrom("configured" as const, "direct" as const),
      route,
      dns: orNull(dns),
      tcp: orNull(tcp),
      connect: orNull(connect),
      tls: orNull(tls),
      http: orNull(http),
      srv: orNull(
        fc.array(fc.record({ host, port: fc.integer({ min: 0, max: 65_535 }), priority: fc.nat(), weight: fc.nat() }), {
          maxLength: 3,
        }),
      ),
      timedOut: fc.boolean(),
      fenced: fc.boolean(),
      totalMs: ms,
    })
    .map(({ target: { id, kind, host: name, port, path, service }, ...rest }) => ({
      kind: "probe" as const,
      facts: { ...rest, target: id, endpoint: { service, kind, host: name, port, path }, zone: "unknown" as const },
    }));
  const settings = fc
    .array(
      fc.record({
        id: configuration,
        users: fc.nat(5),
        autoDetect: fc.boolean(),
        pacUrl: orNull(fc.oneof(text, fc.constantFrom("file://x", "http://pac/"))),
        server: orNull(fc.oneof(text, fc.constantFrom("http=px1:80", "px1:8080"))),
      }),
      { maxLength: 3 },
    )
    .map((list) => ({ kind: "settings" as const, facts: settingsWith(list) }));
  const pac = fc
    .record({
      configuration,
      origin: fc.constantFrom("auto-detect" as const, "pac" as const),
      fetch: fc.constantFrom("ok" as const, "dns" as const, "http-401" as const, "http-500" as const),
      evalOk: orNull(fc.boolean()),
      evalError: orNull(text),
      bodyIsHtml: fc.boolean(),
      url: text,
    })
    .map((over) => ({ kind: "pac" as const, facts: script(over) }));
  return fc
    .record({
      body: fc.oneof({ weight: 8, arbitrary: probe }, settings, pac),
      seq: fc.integer({ min: 1, max: 1000 }),
      location: fc.constantFrom("inside" as const, ...locations),
      digest: fc.constantFrom("0000000a", "0000000b", "0000000c"),
    })
    .map(({ body, ...envelope }) => ({ ...body, ...envelope, at: start, ageMs: 0, key: body.kind }) as Observation);
}
