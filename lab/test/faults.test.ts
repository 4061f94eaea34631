import { afterAll, afterEach, beforeAll, describe, expect, test } from "vitest";
import { type Expected, healthy, settle } from "../src/expect.ts";
import { type ClientSpec, type Lab, startLab } from "../src/lab.ts";
import { address } from "../src/network.ts";
import { proxyPort } from "../src/proxies.ts";

const through = (port: keyof typeof proxyPort) => ({
  ProxyEnable: 1 as const,
  ProxyServer: `px1.contoso.test:${proxyPort[port]}`,
  AutoDetect: 0 as const,
});
const direct = { AutoDetect: 0, ProxyEnable: 0 } as const;
const script = { AutoDetect: 0, AutoConfigURL: "http://scripts.contoso.test/proxy.pac" } as const;
const toExchange = (verdict: string) => `ip daddr ${address.exchange} tcp dport 443 ${verdict}`;
const toWeb = (verdict: string) =>
  `ip daddr { ${address.exchange}, ${address.lyncWeb}, ${address.control}, ${address.webSite} } tcp dport { 80, 443 } ${verdict}`;

/*
 * The fleet, all of it healthy at first. Four machines look like a fault and are none, and stay so throughout:
 * every machine trusts only the company's own authority; `proxy-only` has no direct way out; `ntlm-proxy` is asked to log
 * in by schemes that Windows answers silently; `laptop` is at home, where internal names do not exist.
 */
const fleet: ClientSpec[] = [
  { name: "desk", site: "berlin", settings: direct },
  { name: "proxy-only", site: "munich", settings: through("open"), forward: [toWeb("reject with tcp reset")] },
  { name: "ntlm-proxy", site: "berlin", settings: through("ntlm") },
  { name: "laptop", site: null, settings: direct, home: true },
  { name: "munich-desk", site: "munich", settings: direct },
  { name: "faulty-1", site: "berlin", settings: direct },
  { name: "faulty-2", site: "berlin", settings: direct },
  { name: "faulty-3", site: "berlin", settings: through("open") },
  { name: "faulty-4", site: "munich", settings: through("open"), trustsInterceptor: true },
  { name: "faulty-5", site: "munich", settings: direct },
];
const faulty = ["faulty-1", "faulty-2", "faulty-3", "faulty-4", "faulty-5"];

/** 407 with NTLM: shown with low confidence, the machine counts as "cannot tell" (domain.md 5.0 rule 1). */
const silentLogin: Expected = { primary: "proxy-auth-required" };
const lookAlikes: Record<string, Expected> = {
  desk: healthy,
  "proxy-only": healthy,
  "ntlm-proxy": silentLogin,
  laptop: healthy,
  "munich-desk": healthy,
};
const everybody = (expected: Expected) => Object.fromEntries(faulty.map((name) => [name, expected]));

let lab: Lab;
beforeAll(async () => {
  lab = await startLab(fleet);
});
afterAll(() => lab?.stop());

const repairClients = () => {
  for (const name of faulty) lab.client(name).repair();
};
const repairServers = async () => {
  lab.web.set({ exchange: "up", exchangeCertificate: "valid", lyncWeb: "up", script: null });
  lab.sip.start();
  await lab.dns.setZone({ autodiscover: true });
};

describe("a healthy company", () => {
  test("has no finding on any machine, and cannot tell only behind the proxy that asks for a silent login", async () => {
    await settle(lab, { ...lookAlikes, ...everybody(healthy) });
    const behind = await lab.machine("ntlm-proxy");
    expect(behind.status).toBe("cannot-tell");
    expect(behind.primary?.confidence).toBe("low");
    expect((await lab.machine("laptop")).location).not.toBe("inside");
    expect((await lab.machine("desk")).site).toBe("berlin");
  });
});

describe("faults of single machines", () => {
  afterEach(async () => {
    repairClients();
    lab.web.set({ script: null });
    await settle(lab, { ...lookAlikes, ...everybody(healthy) });
  });

  test("proxy settings: dead proxy, refusing proxy, login by Basic, interception, a proxy that cannot reach Exchange", async () => {
    lab.client("faulty-1").setSettings(through("dead"));
    lab.client("faulty-2").setSettings(through("denying"));
    lab.client("faulty-3").setSettings(through("basic"));
    lab.client("faulty-4").setSettings(through("intercepting"));
    lab.client("faulty-5").setSettings(through("broken"));
    await settle(lab, {
      ...lookAlikes,
      "faulty-1": { primary: "proxy-unreachable" },
      "faulty-2": { primary: "proxy-blocks-exchange" },
      "faulty-3": { primary: "proxy-auth-required" },
      "faulty-4": { primary: "tls-interception" },
      "faulty-5": { primary: "proxied-path-broken" },
    });
    expect((await lab.machine("faulty-3")).status).toBe("failing");
    expect((await lab.machine("faulty-3")).verdictDirect).toBe("exchange-onprem");
  });

  test("scripts and detection: unreachable script, file script, http-only proxy, nothing set, nothing announced, where direct is closed", async () => {
    for (const name of faulty) lab.client(name).setRules({ forward: [toExchange("reject with tcp reset")] });
    lab.client("faulty-4").setRules({ forward: [toExchange("drop")] });
    lab.client("faulty-1").setSettings(script);
    lab.client("faulty-2").setSettings({ AutoDetect: 0, AutoConfigURL: "file://C:/pac/proxy.pac" });
    lab.client("faulty-3").setSettings({ ...through("open"), ProxyServer: `http=px1.contoso.test:${proxyPort.open}` });
    lab.client("faulty-4").setSettings(direct);
    lab.client("faulty-5").setSettings({ AutoDetect: 1 });
    await settle(lab, {
      ...lookAlikes,
      "faulty-1": { primary: "pac-unreachable" },
      "faulty-2": { primary: "pac-file-url" },
      "faulty-3": { primary: "proxy-http-only" },
      "faulty-4": { primary: "autodetect-off" },
      "faulty-5": { primary: "wpad-missing" },
    });
  });

  test("networks: closed port to Exchange, closed port to everywhere, no resolver, a guest portal, a broken script", async () => {
    lab.web.set({ script: "function FindProxyForURL(url, host) { return undefinedFunction(host); }" });
    lab.client("faulty-1").setRules({ forward: [toExchange("reject with tcp reset")] });
    lab.client("faulty-2").setRules({ forward: ["tcp dport 443 reject with tcp reset"] });
    lab.client("faulty-3").setSettings(direct);
    lab.client("faulty-3").setResolver("dead");
    lab.client("faulty-4").setSettings(direct);
    lab.client("faulty-4").setRules({
      divert: [`tcp dport 80 dnat to ${address.portal}:80`, `tcp dport 443 dnat to ${address.portal}:443`],
    });
    lab.client("faulty-5").setRules({ forward: [toExchange("reject with tcp reset")] });
    lab.client("faulty-5").setSettings(script);
    await settle(lab, {
      ...lookAlikes,
      "faulty-1": { primary: "ews-port-blocked" },
      "faulty-2": { primary: "https-egress-blocked" },
      "faulty-3": { primary: "name-resolution-dead" },
      "faulty-4": { primary: "captive-portal" },
      "faulty-5": { primary: "pac-script-error" },
    });
  });
});

describe("faults of servers", () => {
  const reaching = ["desk", "munich-desk", ...faulty];
  const all = (expected: Expected) => Object.fromEntries(reaching.map((name) => [name, expected]));

  afterEach(async () => {
    await repairServers();
    await settle(lab, { ...lookAlikes, ...everybody(healthy) });
  });

  test("Exchange down for everyone is one fleet finding", async () => {
    lab.web.set({ exchange: "stopped" });
    await settle(lab, { ...all({ primary: "fleet-ews-down" }), "ntlm-proxy": silentLogin });
  });

  test("an expired certificate is named as such", async () => {
    lab.web.set({ exchangeCertificate: "expired" });
    await settle(lab, {
      desk: { primary: "exchange-cert-invalid" },
      "munich-desk": { primary: "exchange-cert-invalid" },
      "ntlm-proxy": silentLogin,
    });
  });

  test("Lync web services and SIP have findings of their own, and Exchange none", async () => {
    lab.web.set({ lyncWeb: "stopped" });
    await settle(lab, {
      desk: { primary: "lync-web-services-unreachable" },
      "munich-desk": { primary: "lync-web-services-unreachable" },
    });
    lab.web.set({ lyncWeb: "up" });
    await lab.sip.stop();
    await settle(lab, { desk: { primary: "sfb-ports-blocked" }, "munich-desk": { primary: "sfb-ports-blocked" } });
  });

  test("a missing autodiscover record is found where names are resolved directly", async () => {
    await lab.dns.setZone({ autodiscover: false });
    await settle(lab, {
      desk: { primary: "autodiscover-dns-missing" },
      "munich-desk": { primary: "autodiscover-dns-missing" },
      laptop: healthy,
    });
  });

  test.each([
    ["basic-only", "ews-basic-only"],
    ["form", "preauth-form-in-front"],
  ] as const)("Exchange that answers with %s", async (exchange, primary) => {
    lab.web.set({ exchange });
    await settle(lab, { desk: { primary }, "munich-desk": { primary } });
  });
});
