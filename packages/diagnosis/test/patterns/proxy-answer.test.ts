import { describe, expect, it } from "vitest";
import { type Cycle, diagnosisOf, patternsOf, primaryOf } from "../support/machine.ts";
import {
  answered,
  deadProxy,
  deadProxyAddress,
  dnsFailure,
  exchangeAnswer,
  nothing,
  type Phases,
  policy,
  proxyCannotReach,
  proxyLogin,
  proxyRefusal,
  proxySilent,
  serviceUnavailable,
  tcpTimeout,
  through,
  tlsFailure,
  tunnelled,
} from "../support/probes.ts";

const px1 = through("px1.example.org:8080");
/** All configured probes meet the same at the proxy; the direct ones are given. */
const behindProxy = (phases: Phases, direct: Cycle["direct"] = {}): Cycle => ({
  settings: [{ server: "px1.example.org:8080" }],
  route: px1,
  configured: { ews: phases, "autodiscover-example.org": phases, control: phases, "control-https": phases },
  direct,
});

describe("proxy-unreachable", () => {
  it("is found where the proxy refuses or its name is gone, and says whether direct would work", () => {
    const refused = primaryOf(diagnosisOf(behindProxy(deadProxy(), { ews: exchangeAnswer() })));
    expect(refused).toMatchObject({ pattern: "proxy-unreachable", severity: "prompting", confidence: "high" });
    expect(refused?.sentence).toBe(
      "Credential prompts expected: the proxy px1.example.org:8080 does not answer (refused). Direct, Exchange answers. Fix the proxy, or the setting that points to it.",
    );
    const gone = behindProxy(dnsFailure("NXDOMAIN", "px1.example.org"));
    expect(patternsOf(diagnosisOf(gone))).toEqual(["proxy-unreachable"]);
  });

  it("is not claimed where nothing answers at all", () => {
    const dead = tcpTimeout();
    const diagnosis = diagnosisOf(behindProxy(deadProxyAddress(), { ews: { ...dead, dns: null } }));
    expect(diagnosis).toMatchObject({ status: "cannot-tell", findings: [] });
  });

  it("is not found at home, where an internal proxy fails by design", () => {
    const diagnosis = diagnosisOf({ ...behindProxy(deadProxy("timeout")), location: "outside" });
    expect(diagnosis).toMatchObject({ status: "cannot-tell", findings: [] });
    expect(diagnosis.sentence).toContain("outside");
  });
});

describe("proxy-auth-required", () => {
  it("is prompting where the proxy offers Basic or Digest alone", () => {
    const diagnosis = diagnosisOf(behindProxy(proxyLogin("Basic", "Digest"), { ews: exchangeAnswer() }));
    expect(primaryOf(diagnosis)).toMatchObject({
      pattern: "proxy-auth-required",
      severity: "prompting",
      confidence: "high",
      explains: true,
    });
    expect(diagnosis.status).toBe("failing");
    expect(diagnosis.sentence).toBe(
      "Credential prompts expected: px1.example.org:8080 asks for its own login (407, basic, digest) before Exchange is reached. Direct, Exchange answers. Fix on the proxy, not on this machine.",
    );
  });

  it("cannot be told where Negotiate or NTLM is offered: signed-in users may pass silently", () => {
    for (const schemes of [["NTLM"], ["Negotiate", "Basic"], []]) {
      const diagnosis = diagnosisOf(behindProxy(proxyLogin(...schemes)));
      expect(diagnosis.status).toBe("cannot-tell");
      expect(primaryOf(diagnosis)).toMatchObject({
        pattern: "proxy-auth-required",
        severity: "at-risk",
        confidence: "low",
        explains: false,
      });
    }
  });

  it("is found on Autodiscover alone, without explaining EWS", () => {
    const cycle = {
      ...behindProxy(proxyLogin("Basic")),
      configured: { "autodiscover-example.org": proxyLogin("Basic"), ews: tunnelled(exchangeAnswer()) },
    };
    expect(primaryOf(diagnosisOf(cycle))).toMatchObject({ pattern: "proxy-auth-required", explains: false });
  });

  it("is not found for the 401 of Exchange behind the same proxy", () => {
    const answer = tunnelled(exchangeAnswer());
    expect(patternsOf(diagnosisOf({ ...behindProxy(answer) }))).toEqual([]);
  });
});

describe("proxy-blocks-exchange", () => {
  it("is found for a refused tunnel and for a redirect to the vendor's page", () => {
    expect(primaryOf(diagnosisOf(behindProxy(proxyRefusal())))).toMatchObject({
      pattern: "proxy-blocks-exchange",
      severity: "prompting",
      confidence: "high",
    });
    const page = tunnelled(answered({ status: 302, location: "https://gateway.zscaler.net/blocked" }));
    expect(patternsOf(diagnosisOf(behindProxy(page)))).toEqual(["proxy-blocks-exchange"]);
  });

  it("is not found for a 403 that Exchange itself gives inside the tunnel", () => {
    const forbidden = tunnelled(answered({ status: 403, headers: { "x-feserver": "EX03" } }));
    expect(patternsOf(diagnosisOf({ ...behindProxy(forbidden) }))).not.toContain("proxy-blocks-exchange");
  });
});

describe("proxied-path-broken", () => {
  const directWorks = { ews: exchangeAnswer() };

  it("is found where direct works and the proxy's way does not, however it fails", () => {
    const broken = [
      proxyCannotReach(502),
      proxyCannotReach(500),
      proxySilent(),
      { ...tunnelled(tlsFailure("reset")) },
      {
        ...tunnelled({
          ...nothing,
          tls: exchangeAnswer().tls,
          http: { ...exchangeAnswer().http!, status: null, error: "timeout" as const },
        }),
      },
    ];
    for (const phases of broken)
      expect(primaryOf(diagnosisOf(behindProxy(phases, directWorks)))).toMatchObject({
        pattern: "proxied-path-broken",
        severity: "prompting",
        confidence: "high",
      });
  });

  it("is not found where direct fails too, or was not probed", () => {
    expect(patternsOf(diagnosisOf(behindProxy(proxyCannotReach(), { ews: serviceUnavailable() })))).toEqual([]);
    expect(patternsOf(diagnosisOf(behindProxy(proxyCannotReach())))).toEqual([]);
  });

  it("leaves the machine failing, without a named cause, where no pattern fits", () => {
    const diagnosis = diagnosisOf(behindProxy(proxyCannotReach()));
    expect(diagnosis.status).toBe("failing");
    expect(diagnosis.sentence).toBe(
      "Credential prompts expected: Exchange Web Services at mail.example.org: the proxy cannot reach the server (proxy-upstream-fail). No known pattern explains it.",
    );
  });

  it("is not found on a direct route, however Exchange fails", () => {
    const cycle = { configured: { ews: tlsFailure("reset") }, direct: directWorks };
    expect(patternsOf(diagnosisOf(cycle, { policy: policy() }))).toEqual([]);
  });
});
