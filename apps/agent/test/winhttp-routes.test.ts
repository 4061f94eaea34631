import { createServer } from "node:http";
import type { AddressInfo } from "node:net";
import { type InForce, inForce } from "@lynceus/proxy-settings/effective";
import { expect, onTestFinished, test } from "vitest";
import type { WinHttpReply, WinHttpRequest } from "../src/platform/windows/winhttp-child.ts";
import { type RoutedConfigurations, routeConfigurations } from "../src/proxy/scripts.ts";
import { targetOf, world } from "./world.ts";

const ews = targetOf({ kind: "https", host: "mail.contoso.com", port: 443 });
const lync = targetOf({ id: "lync", service: "lync-web", kind: "https", host: "lync.contoso.com", port: 443 });

async function script(text: string): Promise<string> {
  const server = createServer((_request, response) => {
    response.setHeader("content-type", "application/x-ns-proxy-autoconfig");
    response.end(text);
  });
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  onTestFinished(() => void server.close());
  return `http://127.0.0.1:${(server.address() as AddressInfo).port}/proxy.pac`;
}
const windows = (pacUrl: string | null, autoDetect = false): InForce =>
  inForce({ autoDetect, pacUrl, server: null, bypass: "", source: "wininet-blob", dialect: "windows" });

async function routes(
  settings: InForce,
  reply: (request: WinHttpRequest) => WinHttpReply | { why: string },
): Promise<{ routed: RoutedConfigurations; asked: WinHttpRequest[] }> {
  const asked: WinHttpRequest[] = [];
  const routed = await routeConfigurations(new Map([["c1", settings]]), [lync, ews], {
    probes: world(),
    suffixes: [],
    myIpAddress: "10.1.2.3",
    winhttp: {
      ask: async (request) => {
        asked.push(request);
        return reply(request);
      },
      userOf: new Map([["c1", "S-1-5-21-1-2-3-1001"]]),
    },
  });
  return { routed, asked };
}
const everywhere = (list: string) => (request: WinHttpRequest) => ({
  answers: request.urls.map(() => ({ ok: true, list }) as const),
  dhcpUrl: null,
});

test("Windows' own answer is the way, and that ours differs is an observation", async () => {
  const pacUrl = await script('function FindProxyForURL() { return "PROXY px1.contoso.com:8080"; }');
  const { routed, asked } = await routes(windows(pacUrl), everywhere("PROXY px2.contoso.com:81"));
  expect(asked).toMatchObject([{ user: "S-1-5-21-1-2-3-1001", pacUrl, autoDetect: false, dhcp: false }]);
  expect(asked[0]?.urls).toContain("https://mail.contoso.com/EWS/Exchange.asmx");
  expect(routed.configurations[0]?.route(ews)).toMatchObject({
    kind: "proxy",
    by: "pac",
    proxy: { host: "px2.contoso.com", port: 81 },
  });
  expect(routed.pac).toMatchObject([
    { fetch: "ok", evalOk: true, winhttp: { list: "PROXY px2.contoso.com:81", agrees: false, error: null } },
  ]);
});

test("where Windows gives no answer, ours is the way and its code is told", async () => {
  const pacUrl = await script('function FindProxyForURL() { return "PROXY px1.contoso.com:8080"; }');
  const refused = (request: WinHttpRequest) => ({
    answers: request.urls.map(() => ({ ok: false, error: "error 12167" }) as const),
    dhcpUrl: null,
  });
  const { routed } = await routes(windows(pacUrl), refused);
  expect(routed.configurations[0]?.route(ews)).toMatchObject({ proxy: { host: "px1.contoso.com" } });
  expect(routed.pac[0]?.winhttp).toEqual({ list: null, agrees: null, error: "error 12167" });
  const late = await routes(windows(pacUrl), () => ({ why: "timeout" }));
  expect(late.routed.pac[0]?.winhttp).toEqual({ list: null, agrees: null, error: "timeout" });
});

test("a script that Windows still has is the way although it cannot be fetched any more", async () => {
  const { routed } = await routes(windows("http://127.0.0.1:1/proxy.pac"), everywhere("PROXY px1.contoso.com:8080"));
  expect(routed.configurations[0]?.route(ews)).toMatchObject({ by: "pac", proxy: { host: "px1.contoso.com" } });
  expect(routed.pac[0]).toMatchObject({ fetch: "tcp", winhttp: { agrees: null } });
});

test("the script that DHCP names is the one that is detected", async () => {
  const dhcpUrl = await script('function FindProxyForURL() { return "PROXY px3.contoso.com:8080"; }');
  const { routed, asked } = await routes(windows(null, true), (request) => ({
    answers: request.urls.map(() => ({ ok: true, list: "PROXY px3.contoso.com:8080" }) as const),
    dhcpUrl,
  }));
  expect(asked).toMatchObject([{ autoDetect: true, pacUrl: null, dhcp: true }]);
  expect(routed.wpad).toMatchObject({ tried: true, dhcp252Url: dhcpUrl, dnsHost: null, fetch: "ok" });
  expect(routed.pac).toMatchObject([{ origin: "auto-detect", winhttp: { agrees: true } }]);
  expect(routed.configurations[0]?.route(ews)).toMatchObject({ by: "auto-detect", proxy: { host: "px3.contoso.com" } });
});
