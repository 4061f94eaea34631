import type { MachineState } from "@lynceus/protocol/state";
import { describe, expect, it } from "vitest";
import { diagnose } from "../../src/diagnose.ts";
import { emptyFleet } from "../../src/fleet.ts";
import { emptyState } from "../../src/state.ts";
import { type Cycle, cycleMs, diagnosisOf, observe, patternsOf, primaryOf, run, start } from "../support/machine.ts";
import {
  answered,
  basicOnlyExchange,
  companyCa,
  exchangeAnswer,
  healthPage,
  policy,
  serviceUnavailable,
  slowExchangeAnswer,
  tcpTimeout,
  through,
  tlsFailure,
  tunnelled,
  webSite,
  windowsLogin,
} from "../support/probes.ts";

const px1 = through("px1.example.org:8080");
const vendor = { issuerCN: "Zscaler Root CA", issuerO: "Zscaler Inc.", spkiSha256: "bb".repeat(32) };
const stranger = { issuerCN: "Box 7", issuerO: null, spkiSha256: "cc".repeat(32) };

describe("tls-interception", () => {
  it("says where the certificate names no revocation server, which Lync requires, and is silent where that is not known", () => {
    const texts = (over: { revocationHosts?: string[] }) =>
      primaryOf(diagnosisOf({ configured: { ews: exchangeAnswer({ ...vendor, ...over }) } }))
        ?.evidence.map(({ text }) => text)
        .join();
    expect(texts({ revocationHosts: [] })).toContain("names no revocation server");
    expect(texts({ revocationHosts: ["crl.example.org"] })).not.toContain("revocation");
    expect(texts({})).not.toContain("revocation");
  });

  it("is certain by a vendor's name, and prompting where Extended Protection is on", () => {
    const cycle = { configured: { ews: exchangeAnswer(vendor) } };
    expect(primaryOf(diagnosisOf(cycle))).toMatchObject({
      pattern: "tls-interception",
      severity: "will-prompt",
      confidence: "high",
    });
    expect(primaryOf(diagnosisOf(cycle, { policy: policy({ extendedProtection: "on" }) }))).toMatchObject({
      severity: "prompting",
    });
    expect(diagnosisOf(cycle)).toMatchObject({ status: "healthy", atRisk: true });
  });

  it("explains a session that its certificate broke", () => {
    const diagnosis = diagnosisOf({ configured: { ews: tlsFailure("untrusted", vendor) } });
    expect(primaryOf(diagnosis)).toMatchObject({ pattern: "tls-interception", explains: true });
    expect(patternsOf(diagnosis)).not.toContain("exchange-cert-invalid");
  });

  it("is likely by another issuer than direct, or than the location's majority, shows", () => {
    const proxied: Cycle = {
      route: px1,
      configured: { ews: tunnelled(exchangeAnswer(stranger)), "autodiscover-example.org": tunnelled(exchangeAnswer()) },
      direct: { ews: exchangeAnswer() },
    };
    expect(primaryOf(diagnosisOf(proxied))).toMatchObject({ pattern: "tls-interception", confidence: "medium" });
    const majority = { issuer: companyCa.issuerCN, spki: companyCa.spkiSha256, machines: 90, of: 100 };
    const fleet = { ...emptyFleet, majority };
    expect(patternsOf(diagnosisOf({ configured: { ews: exchangeAnswer(stranger) } }, { fleet }))).toEqual([
      "tls-interception",
    ]);
  });

  it("is not found for a company CA, a declared issuer, or a node with a certificate of its own", () => {
    expect(patternsOf(diagnosisOf({}))).toEqual([]);
    const declared = policy();
    declared.targets[0]!.expectedIssuers = ["Zscaler"];
    expect(patternsOf(diagnosisOf({ configured: { ews: exchangeAnswer(vendor) } }, { policy: declared }))).toEqual([]);
    const node: Cycle = {
      route: px1,
      configured: {
        ews: tunnelled(exchangeAnswer({ spkiSha256: "dd".repeat(32) })),
        "autodiscover-example.org": tunnelled(exchangeAnswer()),
      },
      direct: { ews: exchangeAnswer() },
    };
    expect(patternsOf(diagnosisOf(node))).toEqual([]);
  });

  it("is not found where nothing is known of the certificate", () => {
    const blank = exchangeAnswer({ issuerCN: null, issuerO: null, spkiSha256: null });
    expect(patternsOf(diagnosisOf({ configured: { ews: blank } }))).toEqual([]);
  });
});

describe("exchange-cert-invalid", () => {
  it("is found for name, trust and date, and explains EWS", () => {
    for (const error of ["name", "untrusted", "expired"] as const)
      expect(
        primaryOf(
          diagnosisOf({ configured: { ews: tlsFailure(error), "autodiscover-example.org": tlsFailure(error) } }),
        ),
      ).toMatchObject({
        pattern: "exchange-cert-invalid",
        severity: "will-prompt",
        explains: true,
      });
  });

  it("is prompting only together with a login that another name still offers", () => {
    expect(primaryOf(diagnosisOf({ configured: { ews: tlsFailure("expired") } }))).toMatchObject({
      severity: "prompting",
    });
  });

  it("is found on Autodiscover without explaining EWS", () => {
    const diagnosis = diagnosisOf({
      configured: { "autodiscover-example.org": tlsFailure("name"), "apex-example.org": webSite() },
    });
    expect(primaryOf(diagnosis)).toMatchObject({ pattern: "exchange-cert-invalid", explains: false });
  });

  it("is at risk for a server that does not send its intermediate certificate", () => {
    const diagnosis = diagnosisOf({ configured: { ews: exchangeAnswer({ missingIntermediate: true }) } });
    expect(primaryOf(diagnosis)).toMatchObject({ pattern: "exchange-cert-invalid", severity: "at-risk" });
    expect(diagnosis).toMatchObject({ status: "healthy", atRisk: true });
  });

  it("is at risk, and the machine cannot be told, where only the missing intermediate breaks the chain", () => {
    const diagnosis = diagnosisOf({ configured: { ews: tlsFailure("untrusted", { missingIntermediate: true }) } });
    expect(primaryOf(diagnosis)).toMatchObject({
      pattern: "exchange-cert-invalid",
      severity: "at-risk",
      explains: false,
    });
    expect(diagnosis.status).toBe("cannot-tell");
  });

  it("is not found where a neutral server shows the same faulty issuer: something in between signs", () => {
    const failure = tlsFailure("untrusted", stranger);
    const diagnosis = diagnosisOf({
      configured: { ews: failure, "autodiscover-example.org": failure, "control-https": failure },
    });
    expect(patternsOf(diagnosis)).toEqual([]);
  });

  it("is not found for handshakes that fail in other ways", () => {
    for (const error of ["reset", "protocol", "other", "timeout"] as const)
      expect(patternsOf(diagnosisOf({ configured: { ews: tlsFailure(error) } }))).toEqual([]);
  });
});

describe("ews-service-down", () => {
  it("is found where the server is reached and says 503, or any other error", () => {
    for (const phases of [serviceUnavailable(), answered({ status: 500 })])
      expect(primaryOf(diagnosisOf({ configured: { ews: phases } }))).toMatchObject({
        pattern: "ews-service-down",
        severity: "prompting",
        confidence: "high",
        explains: true,
      });
  });

  it("is found through a proxy where direct is closed by design or says the same", () => {
    const down = tunnelled(serviceUnavailable());
    for (const phases of [tcpTimeout(), serviceUnavailable()])
      expect(patternsOf(diagnosisOf({ route: px1, configured: { ews: down }, direct: { ews: phases } }))).toEqual([
        "ews-service-down",
      ]);
  });

  it("is not found where direct works", () => {
    const cycle = {
      route: px1,
      configured: { ews: tunnelled(answered({ status: 502 })) },
      direct: { ews: exchangeAnswer() },
    };
    expect(patternsOf(diagnosisOf(cycle))).toEqual(["proxied-path-broken"]);
  });
});

describe("ews-unexpected-answer", () => {
  it("is found for a web site, a missing page, and a foreign Basic login", () => {
    const seen = (status: number, wwwAuth: string[] = []) => ({
      configured: { ews: answered({ status, wwwAuth, bodyClass: "html" as const }) },
    });
    expect(primaryOf(diagnosisOf({ configured: { ews: webSite() } }))).toMatchObject({
      pattern: "ews-unexpected-answer",
      severity: "will-prompt",
      confidence: "medium",
    });
    expect(patternsOf(diagnosisOf(seen(404)))).toEqual(["ews-unexpected-answer"]);
    expect(patternsOf(diagnosisOf(seen(403)))).toEqual(["ews-unexpected-answer"]);
    expect(primaryOf(diagnosisOf(seen(401, ['Basic realm="x"'])))).toMatchObject({ severity: "prompting" });
  });

  it("leaves an unknown answer unknown, finding or not", () => {
    const diagnosis = diagnosisOf({ configured: { ews: answered({ status: 418 }) } });
    expect(diagnosis.status).toBe("cannot-tell");
    expect(primaryOf(diagnosis)).toMatchObject({ pattern: "ews-unexpected-answer", explains: false });
  });

  it("is never found for an answer with Exchange's marks, nor for a plain Windows login", () => {
    const marked = answered({ status: 403, headers: { "x-feserver": "EX03" } });
    expect(patternsOf(diagnosisOf({ configured: { ews: marked } }))).toEqual([]);
    expect(diagnosisOf({ configured: { ews: windowsLogin() } })).toMatchObject({ status: "cannot-tell", findings: [] });
  });

  it("is not found where direct is Exchange", () => {
    const cycle = { route: px1, configured: { ews: tunnelled(webSite()) }, direct: { ews: exchangeAnswer() } };
    expect(patternsOf(diagnosisOf(cycle))).toEqual([]);
  });
});

describe("preauth-form-in-front", () => {
  const form = answered({ status: 302, location: "https://mail.example.org/owa/auth/logon.aspx" });

  it("is found on EWS, and on Autodiscover", () => {
    expect(primaryOf(diagnosisOf({ configured: { ews: form } }))).toMatchObject({
      pattern: "preauth-form-in-front",
      severity: "prompting",
      explains: true,
    });
    expect(primaryOf(diagnosisOf({ configured: { "autodiscover-example.org": form } }))).toMatchObject({
      explains: false,
    });
  });

  it("is not found for a redirect elsewhere within the organisation", () => {
    const elsewhere = answered({ status: 302, location: "https://www.example.org/" });
    expect(patternsOf(diagnosisOf({ configured: { ews: elsewhere } }))).not.toContain("preauth-form-in-front");
  });
});

describe("ews-basic-only", () => {
  it("is found where no route offers Windows authentication", () => {
    expect(primaryOf(diagnosisOf({ configured: { ews: basicOnlyExchange() } }))).toMatchObject({
      pattern: "ews-basic-only",
      severity: "prompting",
      confidence: "high",
    });
  });

  it("is not found where direct offers it: then the proxy strips it", () => {
    const cycle = {
      route: px1,
      configured: { ews: tunnelled(basicOnlyExchange()) },
      direct: { ews: exchangeAnswer() },
    };
    expect(patternsOf(diagnosisOf(cycle))).not.toContain("ews-basic-only");
  });

  it("is not found for Basic beside Negotiate", () => {
    const both = answered({ status: 401, wwwAuth: ["Basic", "Negotiate"], headers: { "x-feserver": "EX03" } });
    expect(diagnosisOf({ configured: { ews: both } })).toMatchObject({ status: "healthy", findings: [] });
  });
});

describe("fleet-ews-down", () => {
  const ewsDown = { bad: 90, judged: 100, sites: 3, routes: 2 };
  const fleet = { ...emptyFleet, ewsDown };

  it("replaces its members' own findings", () => {
    const down = { configured: { ews: serviceUnavailable() } };
    expect(patternsOf(diagnosisOf(down))).toEqual(["ews-service-down"]);
    const diagnosis = diagnosisOf(down, { fleet });
    expect(patternsOf(diagnosis)).toEqual(["fleet-ews-down"]);
    expect(primaryOf(diagnosis)).toMatchObject({ severity: "prompting", confidence: "high" });
  });

  it("leaves a machine with a fault of its own, a good Exchange, or a healthy health page alone", () => {
    expect(diagnosisOf({}, { fleet })).toMatchObject({ status: "healthy", findings: [] });
    const login = { configured: { ews: basicOnlyExchange() } };
    expect(patternsOf(diagnosisOf(login, { fleet }))).toEqual(["ews-basic-only"]);
    const healthy = { configured: { ews: serviceUnavailable(), "exchange-health": healthPage() } };
    expect(patternsOf(diagnosisOf(healthy, { fleet }))).toEqual(["ews-service-down"]);
  });

  it("takes no notice of unapproved machines", () => {
    const down = { configured: { ews: serviceUnavailable() } };
    expect(patternsOf(diagnosisOf(down, { fleet, approved: false }))).toEqual(["ews-service-down"]);
  });
});

describe("ews-slow", () => {
  const slow = (ms: number): Cycle => ({ configured: { ews: slowExchangeAnswer(ms) } });

  it("is found when three of five answers came late, and the machine is healthy at risk", () => {
    const { diagnoses } = run([slow(2600), slow(100), slow(2600), slow(2600), slow(2600)]);
    expect(primaryOf(diagnoses[4]!)).toMatchObject({ pattern: "ews-slow", severity: "at-risk", confidence: "medium" });
    expect(diagnoses[4]).toMatchObject({ status: "healthy", atRisk: true });
    expect(diagnoses[2]?.findings).toEqual([]);
  });

  it("is not found at the limit itself, nor where connecting is slow as well", () => {
    expect(run(Array.from({ length: 6 }, () => slow(2000))).diagnoses[5]?.findings).toEqual([]);
    const network = { ...slowExchangeAnswer(2600), tcp: { ...slowExchangeAnswer(1).tcp!, ms: 900 } };
    expect(run(Array.from({ length: 6 }, () => ({ configured: { ews: network } }))).diagnoses[5]?.findings).toEqual([]);
  });
});

describe("ews-slow beside the machine's own median", () => {
  const day = 86_400_000;
  const answer = (ms: number): Cycle => ({ settings: [{}], configured: { ews: slowExchangeAnswer(ms) } });
  /** Three days of such answers every half hour, then five of these: the last diagnosis. */
  const afterDays = (usual: number, now: number) => {
    const policyInForce = policy();
    const seen = (state: MachineState, ms: number, at: number) => observe(state, answer(ms), at, policyInForce);
    let state = emptyState();
    for (let at = start; at < start + 3 * day; at += 1_800_000) state = seen(state, usual, at);
    for (let i = 0; i < 5; i++) state = seen(state, now, start + 3 * day + i * cycleMs);
    const last = start + 3 * day + 4 * cycleMs;
    const input = { facts: state.facts, persistence: {}, policy: policyInForce, fleet: emptyFleet, now: last };
    return diagnose({ ...input, newCycle: true, waivePersistence: true }).diagnosis;
  };

  it("is not found on a machine whose answers always take about so long", () => {
    expect(patternsOf(afterDays(1500, 2600))).toEqual([]);
  });

  it("is found well above the usual, with the usual in the sentence", () => {
    const finding = primaryOf(afterDays(1000, 4000));
    expect(finding?.pattern).toBe("ews-slow");
    expect(finding?.sentence).toMatch(/the longest 4\.0 s \(usually (?:0\.9|1\.0|1\.1) s\)/);
    expect(finding?.evidence.map(({ text }) => text).join()).toContain("own median of seven days");
  });

  it("is measured by the absolute limit where the usual is fast", () => {
    expect(patternsOf(afterDays(50, 1900))).toEqual([]);
    expect(patternsOf(afterDays(50, 2100))).toEqual(["ews-slow"]);
  });
});

describe("ews-intermittent", () => {
  const good: Cycle = {};
  const bad: Cycle = { configured: { ews: serviceUnavailable() } };

  it("is found after four changes in ten probes, and keeps opposite findings from opening", () => {
    const { diagnoses } = run([good, bad, good, bad, good, bad]);
    expect(diagnoses.map(patternsOf)).toEqual([[], [], [], [], [], ["ews-intermittent"]]);
    expect(primaryOf(diagnoses[5]!)).toMatchObject({ severity: "will-prompt", confidence: "medium" });
  });

  it("is not found for one outage, nor across a change of place", () => {
    expect(run([good, bad, bad, good, good, good]).diagnoses.flatMap(patternsOf)).not.toContain("ews-intermittent");
    const away: Cycle = { ...bad, location: "vpn" };
    const commute = run([good, away, good, away, good, away, good]).diagnoses.flatMap(patternsOf);
    expect(commute).not.toContain("ews-intermittent");
  });
});
