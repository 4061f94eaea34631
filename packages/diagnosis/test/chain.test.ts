import { describe, expect, it } from "vitest";
import { type ChainStepId, evidenceChain, miniChain, stepLabel } from "../src/chain.ts";
import { classify } from "../src/classify.ts";
import { machineColumns } from "../src/columns.ts";
import { run } from "./support/machine.ts";
import {
  basicOnlyExchange,
  controlPage,
  deadProxy,
  dnsFailure,
  exchangeAnswer,
  openPort,
  type Phases,
  policy,
  probe,
  proxyLogin,
  slowExchangeAnswer,
  srvRecord,
  targetOf,
  tcpTimeout,
  through,
  tlsFailure,
} from "./support/probes.ts";

const px1 = through("px1.example.org:8080", "pac");
const lane = (
  phases: Phases,
  {
    id = "ews",
    proxied = false,
    ...options
  }: { id?: string; proxied?: boolean; expectedToFail?: boolean; usual?: object; script?: string } = {},
) => {
  const made = probe(targetOf(id), phases, proxied ? { route: px1 } : {});
  return evidenceChain(made, { ...options, verdict: classify(made, policy().expectations) });
};
const step = (steps: ReturnType<typeof lane>, id: ChainStepId) => steps.find((one) => one.id === id)!;
const states = (steps: ReturnType<typeof lane>) => steps.map(({ state }) => state);

describe("the evidence chain", () => {
  it("runs through to a healthy Exchange: 401 is the right answer", () => {
    const steps = lane(exchangeAnswer());
    expect(states(steps)).toEqual(["ok", "ok", "ok", "not-applicable", "ok", "ok", "ok", "ok"]);
    expect(step(steps, "http")).toMatchObject({ value: "401 from EX03", second: "Exchange marker" });
    expect(step(steps, "tls")).toMatchObject({ value: "TLSv1.3", second: "name matches, Contoso Issuing CA 2" });
    expect(step(steps, "auth").value).toBe("Negotiate, NTLM");
    expect(step(steps, "answer").value).toBe("Exchange answers");
  });

  it("stops at the proxy's login, and nothing behind it was reached", () => {
    const steps = lane(proxyLogin("Basic"), { proxied: true, script: "41ab07" });
    expect(states(steps)).toEqual(["ok", "ok", "ok", "failed", "not-reached", "not-reached", "not-reached", "failed"]);
    expect(step(steps, "route")).toMatchObject({ value: "Script rule", second: "41ab07" });
    expect(step(steps, "dns").second).toBe("px1.example.org, the proxy");
    expect(step(steps, "connect")).toMatchObject({ value: "407 Login required", second: "proxy offers Basic" });
    expect(stepLabel(step(steps, "connect"))).toBe("CONNECT: failed, 407 Login required, 6 ms");
  });

  it("never calls ok what was read behind a TLS session that did not verify", () => {
    const failure = tlsFailure("untrusted", { issuerCN: "Zscaler Root CA" });
    const steps = lane({ ...failure, http: { ...exchangeAnswer().http!, untrusted: true } });
    expect(step(steps, "tls")).toMatchObject({ state: "failed", value: "Zscaler Root CA", second: "not trusted here" });
    expect(step(steps, "http")).toMatchObject({
      state: "not-reached",
      value: "Not trusted",
      second: "401 seen, no proof",
    });
    expect(step(steps, "auth").state).toBe("not-reached");
  });

  it("greys a failure that is by design, and shows no difference then", () => {
    const direct = lane(tcpTimeout(), { expectedToFail: true });
    expect(step(direct, "tcp")).toMatchObject({
      state: "failed-expected",
      value: "No answer",
      second: "in 5 s; expected here",
    });
  });

  it("marks a late answer, but not one that is always as late", () => {
    expect(step(lane(slowExchangeAnswer(2600), { usual: { http: 200 } }), "http")).toMatchObject({
      state: "slow",
      second: "late: usually 200 ms",
    });
    expect(step(lane(slowExchangeAnswer(2600), { usual: { http: 2000 } }), "http").state).toBe("ok");
  });

  it("fails the offer without Negotiate and NTLM", () => {
    expect(step(lane(basicOnlyExchange()), "auth")).toMatchObject({ state: "failed", value: "Basic" });
  });

  it("tells the ways a name fails", () => {
    expect(step(lane(dnsFailure("NXDOMAIN")), "dns")).toMatchObject({ value: "NXDOMAIN", second: "mail.example.org" });
    expect(step(lane(dnsFailure("TIMEOUT")), "dns")).toMatchObject({
      value: "No answer",
      second: "in 3 s, mail.example.org",
    });
  });

  it("has steps that a target never takes", () => {
    expect(states(lane(controlPage(), { id: "control" }))).toEqual([
      "ok",
      "ok",
      "ok",
      "not-applicable",
      "not-applicable",
      "ok",
      "not-applicable",
      "ok",
    ]);
    expect(states(lane(openPort(), { id: "sip-example.org" }))).toEqual([
      "ok",
      "ok",
      "ok",
      "not-applicable",
      "ok",
      "not-applicable",
      "not-applicable",
      "ok",
    ]);
    expect(step(lane(srvRecord("sip.example.org", 5061), { id: "sip-srv-example.org" }), "dns").value).toBe(
      "sip.example.org:5061",
    );
  });

  it("is written as unknown where nothing was probed", () => {
    const steps = evidenceChain(null);
    expect(steps).toHaveLength(8);
    expect(steps.every(({ state, value }) => state === "not-reached" && value === "Unknown")).toBe(true);
  });
});

describe("columns", () => {
  it("hold the mini chains of both routes, one letter a step", () => {
    const made = probe(targetOf("ews"), proxyLogin("Basic"), { route: px1 });
    expect(miniChain(made)).toBe("oofnnn");
    expect(miniChain(probe(targetOf("ews"), exchangeAnswer()))).toBe("ooxooo");
    expect(miniChain(null)).toBeNull();
  });

  it("are those of the configuration that fails", () => {
    const dead = deadProxy();
    const { state } = run(
      Array.from({ length: 2 }, () => ({
        settings: [
          { id: "c1", users: 9 },
          { id: "c2", users: 1, server: "px1.example.org:8080" },
        ],
        perConfiguration: {
          c1: { configured: {} },
          c2: { configured: { ews: dead, "autodiscover-example.org": dead }, route: px1 },
        },
        direct: { ews: exchangeAnswer() },
      })),
    );
    expect(machineColumns(state, policy())).toMatchObject({
      status: "failing",
      primaryPattern: "proxy-unreachable",
      patterns: ["proxy-unreachable"],
      route: "px1.example.org:8080",
      verdictConfigured: "proxy-unreachable",
      verdictDirect: "exchange-onprem",
      chainConfigured: "ofnnnn",
      chainDirect: "ooxooo",
      location: "inside",
    });
  });

  it("are null where nothing is known", () => {
    const { state } = run([{ configured: { ews: null } }]);
    expect(machineColumns(state, policy())).toMatchObject({
      route: null,
      verdictConfigured: null,
      chainConfigured: null,
      tlsSpki: null,
    });
  });
});
