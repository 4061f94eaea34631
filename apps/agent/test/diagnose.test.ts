import { mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { type Observation, observationSchema } from "@lynceus/protocol/facts";
import { type Authority, issueCertificate, makeAuthority, type ServerCertificate } from "@lynceus/testkit/certificates";
import { dnsServer } from "@lynceus/testkit/dns-server";
import { exchangeServer } from "@lynceus/testkit/exchange";
import { forwardProxy } from "@lynceus/testkit/forward-proxy";
import { httpServer } from "@lynceus/testkit/http-server";
import { closedPort } from "@lynceus/testkit/listening";
import { pacServer } from "@lynceus/testkit/pac-server";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { runDiagnose } from "../src/diagnose.ts";

let directory: string;
let company: Authority;
let certificate: ServerCertificate;
let dns: Awaited<ReturnType<typeof dnsServer>>;
let control: Awaited<ReturnType<typeof httpServer>>;
const closing: (() => unknown)[] = [];

beforeAll(async () => {
  directory = await mkdtemp(join(tmpdir(), "lynceus-diagnose-"));
  company = await makeAuthority({ commonName: "Contoso Issuing CA", organization: "Contoso Ltd" });
  certificate = await issueCertificate(company, {
    names: ["mail.contoso.com", "autodiscover.contoso.com", "control.contoso.com"],
  });
  await writeFile(join(directory, "company.pem"), company.pem);
  const names = ["mail", "autodiscover", "control"].map((name) => [`A ${name}.contoso.com`, ["127.0.0.1"]] as const);
  dns = await dnsServer(Object.fromEntries(names));
  control = await httpServer((_, response) => response.end("Microsoft Connect Test"));
  closing.push(() => dns.close(), control.close);
});
afterAll(async () => {
  for (const close of closing) await close();
  await rm(directory, { recursive: true });
});

interface Report {
  readonly machine: { readonly hostname: string };
  readonly status: string;
  readonly sentence: string;
  readonly observations: Observation[];
  readonly findings: { readonly pattern: string; readonly evidence: unknown[]; readonly remedy: unknown[] }[];
}

const findingKeys = ["pattern", "primary", "severity", "confidence", "evidence", "remedy", "reference"];

/** Reads the printed JSON and holds it to the form that scripts rely on. */
function parseReport(text: string): Report {
  const report = JSON.parse(text) as Report;
  expect(report.machine.hostname).not.toBe("");
  for (const observation of report.observations) expect(observationSchema.safeParse(observation).error).toBeUndefined();
  for (const finding of report.findings) {
    expect(Object.keys(finding)).toEqual(findingKeys);
    expect(finding.evidence).not.toEqual([]);
    expect(finding.remedy).not.toEqual([]);
  }
  return report;
}

/** Runs the command as `main.ts` does, on a machine whose names are the test's. */
async function run(argv: string[], environment: Record<string, string> = {}) {
  let out = "";
  let err = "";
  const code = await runDiagnose(argv, {
    stdout: (text) => (out += text),
    stderr: (text) => (err += text),
    environment: { SSL_CERT_FILE: join(directory, "company.pem"), PATH: process.env.PATH, ...environment },
    version: "0.0.0",
    platform: "linux",
    uid: 1000,
    clock: { now: () => Date.now(), monotonic: () => performance.now() },
    signal: new AbortController().signal,
    dnsServers: [`127.0.0.1:${dns.port}`],
    timeouts: { dns: 1000, tcp: 1000, http: 1000 },
  });
  return { code, out, err };
}

const json = async (argv: string[], environment?: Record<string, string>) => {
  const { code, out } = await run([...argv, "--json"], environment);
  return { code, report: parseReport(out) };
};

async function settingsFile(name: string, values: Record<string, unknown>): Promise<string> {
  const path = join(directory, name);
  await writeFile(path, JSON.stringify(values));
  return path;
}

/** A front end, and the options that name it. */
async function office(mode?: Parameters<typeof exchangeServer>[0]["mode"]) {
  const exchange = await exchangeServer({ certificate, ...(mode ? { mode } : {}) });
  closing.push(exchange.close);
  const argv = [
    ...["--ews", `mail.contoso.com:${exchange.port}`, "--port", String(exchange.port)],
    ...["--smtp-domain", "contoso.com"],
    ...["--control", `http://control.contoso.com:${control.port}/connecttest.txt`],
    ...["--control-https", `control.contoso.com:${exchange.port}`],
  ];
  return { exchange, argv };
}

const nothing = () => settingsFile("none.json", {});

describe("a healthy machine", () => {
  test("exits 0 without findings, on a company certificate that the system trusts", async () => {
    const { argv, exchange } = await office();
    const { code, report } = await json([...argv, "--proxy-settings", await nothing()]);
    expect({ code, status: report.status, findings: report.findings }).toEqual({
      code: 0,
      status: "healthy",
      findings: [],
    });
    const kinds = new Set(report.observations.map(({ kind }) => kind));
    expect([...kinds].sort()).toEqual(["probe", "settings", "system", "wpad"]);
    for (const { headers } of exchange.requests) expect(headers.authorization).toBeUndefined();
  });

  test("behind a proxy that lets Exchange through is probed on both routes", async () => {
    const { argv, exchange } = await office();
    const proxy = await forwardProxy({
      resolve: (host, port) => ({
        host: "127.0.0.1",
        port: host === "control.contoso.com" && port === 80 ? control.port : port,
      }),
    });
    closing.push(proxy.close);
    const file = await settingsFile("proxy.json", { ProxyEnable: 1, ProxyServer: `127.0.0.1:${proxy.port}` });
    const { report } = await json([...argv, "--proxy-settings", file]);
    const ews = report.observations.flatMap((one) =>
      one.kind === "probe" && one.facts.target === "ews" ? [one.facts] : [],
    );
    expect(ews.map(({ via, route }) => [via, route.kind, route.by]).sort()).toEqual([
      ["configured", "proxy", "manual"],
      ["direct", "direct", "forced"],
    ]);
    expect(proxy.asked).toContain(`mail.contoso.com:${exchange.port}`);
    expect(report.status).toBe("healthy");
  });
});

describe("findings", () => {
  test("name the dead proxy, its fix and reference, and exit 1", async () => {
    const { argv } = await office();
    const file = await settingsFile("dead.json", { ProxyEnable: 1, ProxyServer: `127.0.0.1:${await closedPort()}` });
    const { code, report } = await json([...argv, "--proxy-settings", file]);
    expect(code).toBe(1);
    expect(report.status).toBe("failing");
    expect(report.findings[0]).toMatchObject({ pattern: "proxy-unreachable", primary: true, severity: "prompting" });
  });

  test("are not needed to exit 1: behind a proxy that may know a signed-in user it cannot be told", async () => {
    const { argv } = await office();
    const proxy = await forwardProxy({ mode: 407, schemes: ["Negotiate", "NTLM"] });
    closing.push(proxy.close);
    const file = await settingsFile("ntlm.json", { ProxyEnable: 1, ProxyServer: `127.0.0.1:${proxy.port}` });
    const { code, report } = await json([...argv, "--proxy-settings", file]);
    expect({ code, status: report.status }).toEqual({ code: 1, status: "cannot-tell" });
  });

  test("name the proxy that asks for its own login", async () => {
    const { argv } = await office();
    const proxy = await forwardProxy({ mode: 407 });
    closing.push(proxy.close);
    const file = await settingsFile("login.json", { ProxyEnable: 1, ProxyServer: `127.0.0.1:${proxy.port}` });
    const { code, report } = await json([...argv, "--proxy-settings", file]);
    expect(code).toBe(1);
    expect(report.findings[0]).toMatchObject({ pattern: "proxy-auth-required", primary: true });
  });

  test("name the stopped service", async () => {
    const { argv } = await office("stopped");
    const { report } = await json([...argv, "--proxy-settings", await nothing()]);
    expect(report.findings[0]).toMatchObject({ pattern: "ews-service-down", primary: true });
  });

  test("name the script that loops for ever, while the machine falls through to direct", async () => {
    const { argv } = await office();
    const pac = await pacServer("function FindProxyForURL() { for (;;) {} }");
    closing.push(pac.close);
    const file = await settingsFile("loop.json", { AutoConfigURL: `http://127.0.0.1:${pac.port}/proxy.pac` });
    const { code, report } = await json([...argv, "--proxy-settings", file]);
    expect(code).toBe(1);
    expect(report.findings.map(({ pattern }) => pattern)).toContain("pac-script-error");
    const facts = report.observations.find(({ kind }) => kind === "pac")?.facts;
    expect(facts).toMatchObject({ fetch: "ok", evalOk: false, evalError: "the script ran too long" });
  });

  test("of a script at file:// leave the route as Windows has it", async () => {
    const { argv } = await office();
    const file = await settingsFile("file.json", { AutoConfigURL: "file://C:/pac/proxy.pac" });
    const { report } = await json([...argv, "--proxy-settings", file]);
    expect(report.findings.map(({ pattern }) => pattern)).toContain("pac-file-url");
    const ews = report.observations.find((one) => one.kind === "probe" && one.facts.target === "ews");
    expect(ews?.facts).toMatchObject({ route: { kind: "direct", by: "none" }, http: { status: 401 } });
  });
});

describe("the printed table", () => {
  test("shows the chain of both routes, the finding, its fix and reference", async () => {
    const { argv } = await office();
    const proxy = await forwardProxy({ mode: 403 });
    closing.push(proxy.close);
    const { code, out } = await run(argv, {
      https_proxy: `http://user:secret@127.0.0.1:${proxy.port}`,
      no_proxy: "control.contoso.com",
    });
    expect(code).toBe(1);
    for (const word of [
      "CONFIGURED ROUTE",
      "DIRECT",
      "DNS",
      "TCP",
      "CONNECT",
      "TLS",
      "HTTP",
      "403",
      "401 from EX03",
      "Negotiate",
    ])
      expect(out).toContain(word);
    expect(out).toContain("[proxy-blocks-exchange]");
    expect(out).toMatch(/KB \d{6,7}/);
    expect(out).not.toContain("secret");
  });
});

describe("what cannot run", () => {
  test.each([
    [["--ews"], /--ews/],
    [["--nonsense"], /--nonsense/],
    [[], /--ews mail\.example\.org/],
    [["--ews", "http://mail/"], /"http:\/\/mail\/".*mail\.example\.org/],
    [["--ews", "mail.contoso.com", "--cycles", "0"], /--cycles "0".*1 to 20/],
    [["--ews", "mail.contoso.com", "--control", "ftp://x"], /ftp:\/\/x/],
    [["--ews", "mail.contoso.com", "--proxy-settings", "/nowhere/x.json"], /\/nowhere\/x\.json/],
  ])("%j exits 2 with one line", async (argv, line) => {
    const { code, out, err } = await run(argv);
    expect({ code, out }).toEqual({ code: 2, out: "" });
    expect(err).toMatch(line);
    expect(err.trimEnd().split("\n")).toHaveLength(1);
  });

  test("a settings file with an unknown value exits 2 and says which", async () => {
    const file = await settingsFile("typo.json", { ProxySever: "p:1" });
    const { code, err } = await run(["--ews", "mail.contoso.com", "--proxy-settings", file]);
    expect(code).toBe(2);
    expect(err).toContain("ProxySever");
  });

  test("--help explains itself and exits 0", async () => {
    const { code, out } = await run(["--help"]);
    expect(code).toBe(0);
    expect(out).toContain("--smtp-domain");
  });
});
