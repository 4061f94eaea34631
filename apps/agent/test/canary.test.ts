import { randomUUID } from "node:crypto";
import { classify } from "@lynceus/diagnosis/classify";
import type { CanaryRoute } from "@lynceus/protocol/canary";
import type { SettingsFacts } from "@lynceus/protocol/facts";
import { canaryResultSchema } from "@lynceus/protocol/messages";
import type { Policy, Target } from "@lynceus/protocol/policy";
import { buildPolicy } from "@lynceus/protocol/presets";
import { type Authority, issueCertificate, makeAuthority } from "@lynceus/testkit/certificates";
import { dnsServer } from "@lynceus/testkit/dns-server";
import { exchangeServer } from "@lynceus/testkit/exchange";
import { forwardProxy } from "@lynceus/testkit/forward-proxy";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { probeCanary } from "../src/canary.ts";
import { parseCollectorUrl } from "../src/collector-url.ts";
import { ephemeralKey } from "../src/identity.ts";
import { connector } from "../src/link/connect.ts";
import { createLink } from "../src/link/link.ts";
import { memoryOutbox } from "../src/outbox/memory-outbox.ts";
import type { ProbeContext } from "../src/probes/context.ts";
import { testClock } from "./support/clock.ts";
import { scriptedCollector } from "./support/collector.ts";
import { httpProxy, targetOf, world } from "./world.ts";

const closing: { close(): unknown }[] = [];
async function opened<T extends { close(): unknown }>(server: Promise<T>): Promise<T> {
  const made = await server;
  closing.push(made);
  return made;
}
afterAll(async () => {
  for (const server of closing) await server.close();
});

let company: Authority;
let exchange: Awaited<ReturnType<typeof exchangeServer>>;
let open: Awaited<ReturnType<typeof forwardProxy>>;
let login: Awaited<ReturnType<typeof forwardProxy>>;
let names: Awaited<ReturnType<typeof dnsServer>>;
beforeAll(async () => {
  company = await makeAuthority({ commonName: "Contoso Issuing CA", organization: "Contoso Ltd" });
  const certificate = await issueCertificate(company, { names: ["mail.contoso.com"] });
  exchange = await opened(exchangeServer({ certificate }));
  open = await opened(forwardProxy({ resolve: () => ({ host: "127.0.0.1", port: exchange.port }) }));
  login = await opened(forwardProxy({ mode: 407 }));
  names = await opened(
    dnsServer({
      "A mail.contoso.com": ["127.0.0.1"],
      "A px1.contoso.com": ["127.0.0.1"],
      "A px9.fabrikam.com": ["127.0.0.1"],
    }),
  );
});

const settings = (server: string | null = null): SettingsFacts => ({
  users: [],
  configurations: [
    {
      id: "c1",
      settings: { autoDetect: false, pacUrl: null, server, bypass: "", source: "file", dialect: "windows" },
      users: 1,
      probed: true,
    },
  ],
  nobodySignedIn: false,
  winhttp64: null,
  winhttp32: null,
  policy: { ProxySettingsPerUser: null, gpoManaged: null, DisableWpad: null },
  sources: [],
});

const policyOf = (...targets: Target[]): Policy => ({
  ...buildPolicy({ ews: ["mail.contoso.com"], smtpDomains: ["contoso.com"], sipDomains: [] }, 1),
  targets,
});

/** Servers of tests are on loopback, which a canary is never led to elsewhere. */
const onLoopback: Partial<ProbeContext> = { refusesAddress: () => false };

function canary(routes: CanaryRoute[], parts: Partial<ProbeContext> = onLoopback, own: string | null = null) {
  const policy = policyOf(
    targetOf({ id: "ews", kind: "https", host: "mail.contoso.com", port: exchange.port }),
    targetOf({ id: "far", kind: "https", host: "mail.fabrikam.com", port: 443 }),
    targetOf({ id: "srv", kind: "srv", host: "_sip._tls.contoso.com", port: null }),
  );
  const probes = world({ trusted: company.pem, resolver: { servers: [`127.0.0.1:${names.port}`] }, ...parts });
  return probeCanary(
    { policy, routes, signal: probes.signal, onProgress: () => {} },
    { probes, settings: settings(own) },
  );
}
const via = (host: string, { port }: { port: number }) => httpProxy({ host, port });

describe("a canary", () => {
  it("really probes a target of the policy over each proposed route, without a login", async () => {
    const answers = await canary([
      { target: "ews", proxy: null },
      { target: "ews", proxy: via("px1.contoso.com", open) },
      { target: "ews", proxy: via("px1.contoso.com", login) },
    ]);
    expect(answers.map(({ refused }) => refused)).toEqual([null, null, null]);
    const expectations = { smtpDomains: ["contoso.com"], sipDomains: [], ssoHosts: [] };
    expect(answers.map(({ facts }) => facts && classify(facts, expectations, null))).toEqual([
      "exchange-onprem",
      "exchange-onprem",
      "proxy-auth-required",
    ]);
    expect(answers[1]?.facts?.route).toMatchObject({ kind: "proxy", by: "forced", proxy: { host: "px1.contoso.com" } });
    expect(open.asked).toEqual([`mail.contoso.com:${exchange.port}`]);
    for (const headers of [...open.headers, ...login.headers])
      expect(Object.keys(headers)).not.toContain("proxy-authorization");
    // What goes over the wire is what the wire takes.
    expect(
      canaryResultSchema.safeParse({ v: 1, type: "canary-result", id: randomUUID(), answers }).error,
    ).toBeUndefined();
  });

  it("sends nothing for what its machine forbids", async () => {
    const before = open.asked.length;
    const answers = await canary([
      { target: "unknown", proxy: null },
      { target: "far", proxy: null },
      { target: "srv", proxy: null },
      { target: "ews", proxy: via("px9.fabrikam.com", open) },
      { target: "ews", proxy: via("169.254.169.254", open) },
    ]);
    expect(answers.map(({ refused, facts }) => [refused, facts])).toEqual([
      ["the target is not in this machine's policy", null],
      ["the target is outside this machine's fence", null],
      ["a question to DNS takes no route", null],
      ["the proxy is neither inside this machine's fence nor in its own settings", null],
      ["the proxy is neither inside this machine's fence nor in its own settings", null],
    ]);
    expect(open.asked).toHaveLength(before);
    expect(names.asked.filter((question) => question.includes("fabrikam"))).toEqual([]);
  });

  it("goes through a proxy outside the fence where the machine's own settings name it", async () => {
    const [answer] = await canary(
      [{ target: "ews", proxy: via("px9.fabrikam.com", open) }],
      onLoopback,
      `px9.fabrikam.com:${open.port}`,
    );
    expect(answer).toMatchObject({ refused: null, facts: { http: { status: 401 } } });
  });

  it("connects to no address of the machine itself, whatever name leads there", async () => {
    const before = open.asked.length;
    const answers = await canary(
      [
        { target: "ews", proxy: via("px1.contoso.com", open) },
        { target: "ews", proxy: null },
      ],
      {},
    );
    for (const { refused, facts } of answers) {
      expect(refused).toBe("the name leads to an address that is never probed");
      expect(facts).toBeNull();
    }
    expect(open.asked).toHaveLength(before);
  });

  it("goes through four proxies at most", async () => {
    const answers = await canary(
      [1, 2, 3, 4, 5].map((port) => ({ target: "ews", proxy: via("px1.contoso.com", { port }) })),
    );
    expect(answers.map(({ refused }) => refused)).toEqual([null, null, null, null, "more than 4 different proxies"]);
  });

  it("ends when the agent stops", async () => {
    const stop = new AbortController();
    stop.abort(new Error("the agent stops"));
    await expect(canary([{ target: "ews", proxy: null }], { ...onLoopback, signal: stop.signal })).rejects.toThrow(
      "the agent stops",
    );
  });
});

describe("the link", () => {
  async function linked(onCanary?: (id: string, routes: readonly CanaryRoute[]) => void) {
    const collector = await opened(scriptedCollector());
    const clock = testClock();
    const link = createLink({
      connect: connector({
        url: parseCollectorUrl(collector.url),
        pin: null,
        systemTrust: () => world().trust.context,
        routeFor: async () => [{ kind: "direct" }],
        clock,
        userAgent: "test",
      }),
      machineId: randomUUID(),
      key: ephemeralKey(),
      machine: { agentVersion: "0.1.0", os: "linux", hostname: "pc1" },
      bootId: randomUUID(),
      outbox: memoryOutbox({ clock, newId: randomUUID }),
      clock,
      random: () => 0.5,
      policyVersion: () => 0,
      heartbeatSeconds: () => 30,
      resources: () => ({ rssBytes: 1, cpuMs: 1, uptimeSeconds: 1 }),
      ...(onCanary ? { onCanary } : {}),
    });
    closing.unshift({ close: () => link.stop("stop") });
    link.start();
    const peer = await collector.connection();
    const hello = await peer.next("hello");
    peer.send({ v: 1, type: "welcome", ackedSeq: 0, now: 1 });
    return { link, peer, hello };
  }

  it("says that it knows of canaries, and carries one and its answer", async () => {
    const asked: unknown[] = [];
    const { link, peer, hello } = await linked((id, routes) => asked.push({ id, routes }));
    expect(hello.capabilities).toEqual(["canary"]);
    await peer.next("heartbeat");
    const id = randomUUID();
    const routes = [{ target: "ews", proxy: null }];
    peer.send({ v: 1, type: "canary", id, routes });
    await peer.settled();
    expect(asked).toEqual([{ id, routes }]);
    link.answerCanary(id, [{ target: "ews", proxy: null, refused: "a test", facts: null }]);
    expect(await peer.next("canary-result")).toMatchObject({ id, answers: [{ refused: "a test" }] });
  });

  it("passes over a canary that it cannot read, and stays", async () => {
    const asked: unknown[] = [];
    const { link, peer } = await linked((id) => asked.push(id));
    peer.sendText(
      JSON.stringify({
        v: 1,
        type: "canary",
        id: randomUUID(),
        routes: [{ target: "ews", proxy: { scheme: "quic", host: "px1.contoso.com", port: 443 } }],
      }),
    );
    peer.sendText(JSON.stringify({ v: 1, type: "canary", id: randomUUID(), routes: [] }));
    await peer.settled();
    expect(asked).toEqual([]);
    expect(link.state().phase).toBe("connected");
  });

  it("tells with the end of a command up to which observation its facts are", async () => {
    const { link, peer, hello } = await linked();
    expect(hello.capabilities).toBeUndefined();
    await peer.next("heartbeat");
    link.progress("5d1b8f1e-2f43-4f6b-8c57-64a0b7a7c3d2", "progress", 1, 2);
    expect((await peer.next("command-progress")).upTo).toBeUndefined();
    link.progress("5d1b8f1e-2f43-4f6b-8c57-64a0b7a7c3d2", "done", 2, 2);
    expect((await peer.next("command-progress")).upTo).toEqual({ epoch: hello.epoch, seq: 0 });
  });
});
