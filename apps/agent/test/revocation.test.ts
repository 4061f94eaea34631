import { X509Certificate } from "node:crypto";
import { mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import type { ProbeFacts } from "@lynceus/protocol/facts";
import { buildPolicy } from "@lynceus/protocol/presets";
import { issueCertificate, makeAuthority } from "@lynceus/testkit/certificates";
import { dnsServer } from "@lynceus/testkit/dns-server";
import { exchangeServer } from "@lynceus/testkit/exchange";
import { forwardProxy } from "@lynceus/testkit/forward-proxy";
import { httpServer } from "@lynceus/testkit/http-server";
import fc from "fast-check";
import { describe, expect, onTestFinished, test } from "vitest";
import { observeCycle } from "../src/observe.ts";
import { revocationHosts } from "../src/probes/revocation-hosts.ts";
import { makeTrustStore } from "../src/probes/trust-store.ts";
import { world } from "./world.ts";

const company = await makeAuthority();
const issuing = await makeAuthority({ commonName: "Contoso Issuing CA", issuer: company });
const certificate = await issueCertificate(issuing, {
  names: ["mail.contoso.com"],
  send: [issuing],
  revocation: {
    crl: ["http://CRL.contoso.com/ca.crl", "ldap:///CN=ca,DC=contoso,DC=com?certificateRevocationList"],
    ocsp: "http://ocsp.contoso.com/ocsp",
    caIssuers: "http://pki.fabrikam.example/ca.crt",
  },
});
const leaf = new X509Certificate(certificate.cert);

describe("the addresses inside a certificate", () => {
  test("give the hosts of CRL, OCSP and issuer, of plain http alone, each once", () => {
    const hosts = ["crl.contoso.com", "ocsp.contoso.com", "pki.fabrikam.example"];
    expect(revocationHosts([leaf]).sort()).toEqual(hosts);
    expect(revocationHosts([leaf, leaf]).sort()).toEqual(hosts);
  });

  test("are none in a certificate without them, nor of a root that was sent along", async () => {
    expect(revocationHosts([new X509Certificate(company.pem)])).toEqual([]);
    const root = { raw: leaf.raw, subject: "CN=root", issuer: "CN=root" };
    expect(revocationHosts([new X509Certificate(company.pem), root])).toEqual([]);
  });

  test("are at most sixteen, and no longer than a name of a target", async () => {
    const crl = Array.from({ length: 40 }, (_, i) => `http://crl${i}.contoso.com/`);
    const many = await issueCertificate(company, { names: ["a.contoso.com"], revocation: { crl } });
    expect(revocationHosts([new X509Certificate(many.cert)])).toHaveLength(16);
    const long = await issueCertificate(company, {
      names: ["a.contoso.com"],
      revocation: { crl: [`http://${"a".repeat(60)}.${"b".repeat(60)}.contoso.com/`, "http://ok.contoso.com:8080/"] },
    });
    expect(revocationHosts([new X509Certificate(long.cert)])).toEqual([]);
  });

  test("are read from hostile bytes without an error, and without any end but theirs", () => {
    const named = { subject: "CN=a", issuer: "CN=b" };
    fc.assert(
      fc.property(fc.uint8Array({ maxLength: 400 }), (bytes) => {
        expect(revocationHosts([{ raw: Buffer.from(bytes), ...named }]).length).toBeLessThanOrEqual(16);
      }),
    );
    const at = fc.nat({ max: leaf.raw.length - 1 });
    fc.assert(
      fc.property(fc.array(fc.tuple(at, fc.nat({ max: 255 })), { maxLength: 8 }), at, (edits, cut) => {
        const raw = Buffer.from(leaf.raw);
        for (const [index, value] of edits) raw[index] = value;
        for (const one of [raw, raw.subarray(0, cut)])
          for (const host of revocationHosts([{ raw: one, ...named }])) expect(host).toMatch(/^[a-z0-9][a-z0-9.:_-]*$/);
      }),
    );
  });
});

/** One cycle of a machine whose settings name this proxy; the names lead to it, not to DNS. */
async function observed(mode: "open" | 403, suffixes = ["contoso.com"], only?: readonly string[]) {
  const exchange = await exchangeServer({ certificate });
  const revocation = await httpServer((_, response) => response.writeHead(404).end());
  const dns = await dnsServer({ "A mail.contoso.com": ["127.0.0.1"], "A px1.contoso.com": ["127.0.0.1"] });
  const resolve = (host: string) => ({
    host: "127.0.0.1",
    port: host === "mail.contoso.com" ? exchange.port : revocation.port,
  });
  const tunnel = await forwardProxy({ resolve });
  const plain = await forwardProxy({ mode, resolve });
  const directory = await mkdtemp(join(tmpdir(), "lynceus-revocation-"));
  onTestFinished(async () => {
    dns.close();
    for (const server of [exchange, revocation, tunnel, plain]) await server.close();
    await rm(directory, { recursive: true });
  });
  const settingsFile = join(directory, "settings.json");
  const server = `http=px1.contoso.com:${plain.port};https=px1.contoso.com:${tunnel.port}`;
  await writeFile(settingsFile, JSON.stringify({ ProxyEnable: 1, ProxyServer: server }));
  const context = world();
  const ctx = {
    probes: {
      ...context,
      fence: { ...context.fence, suffixes },
      resolver: { servers: [`127.0.0.1:${dns.port}`] },
      trust: makeTrustStore(company.pem, "test"),
    },
    settings: {
      platform: "linux" as const,
      environment: {},
      settingsFile,
      run: () => Promise.reject(new Error("none")),
      uid: 1,
      salt: "s",
    },
    agentVersion: "0.0.0",
    simulated: false,
  };
  const policy = buildPolicy({ ews: ["mail.contoso.com"], smtpDomains: [], sipDomains: [] }, 1);
  const probes: ProbeFacts[] = [];
  for await (const draft of observeCycle({ policy, ctx, only: only ?? ["ews", "oab"] }))
    if (draft.kind === "probe") probes.push(draft.facts);
  return {
    probes: probes.filter(({ endpoint }) => endpoint.service === "revocation"),
    asked: plain.asked,
    all: probes,
  };
}

describe("the revocation servers", () => {
  test("that Exchange's certificate names are asked on the configured route, each once", async () => {
    const { probes, asked, all } = await observed("open");
    expect(
      all.find(({ target, via }) => target === "ews" && via === "configured")?.tls?.revocationHosts?.toSorted(),
    ).toEqual(["crl.contoso.com", "ocsp.contoso.com", "pki.fabrikam.example"]);
    expect(asked.toSorted()).toEqual(["http://crl.contoso.com/", "http://ocsp.contoso.com/"]);
    expect(probes.map(({ target, via, route, http }) => [target, via, route.kind, http?.status]).sort()).toEqual([
      ["revocation-crl.contoso.com", "configured", "proxy", 404],
      ["revocation-ocsp.contoso.com", "configured", "proxy", 404],
    ]);
  });

  test("show the proxy's refusal", async () => {
    const { probes } = await observed(403);
    expect(probes.map(({ http }) => http?.status)).toEqual([403, 403]);
  });

  test("outside the fence are not asked, nor in a cycle of the deciding targets alone", async () => {
    expect((await observed("open", ["mail.contoso.com", "px1.contoso.com"])).asked).toEqual([]);
    expect((await observed("open", ["contoso.com"], ["ews"])).asked).toEqual([]);
  });
});
