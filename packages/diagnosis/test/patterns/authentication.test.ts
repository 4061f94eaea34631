import type { SystemFacts } from "@lynceus/protocol/facts";
import { describe, expect, it } from "vitest";
import { diagnose } from "../../src/diagnose.ts";
import { emptyFleet } from "../../src/fleet.ts";
import { emptyState } from "../../src/state.ts";
import { type Cycle, diagnosisOf, observe, patternsOf, primaryOf } from "../support/machine.ts";
import {
  answered,
  exchangeAnswer,
  exchangeOnlineAnswer,
  lyncAnswer,
  openPort,
  policy,
  serviceUnavailable,
  tcpTimeout,
} from "../support/probes.ts";

const found = (cycle: Cycle, options: Parameters<typeof diagnosisOf>[1] = {}) =>
  patternsOf(diagnosisOf(cycle, options));
const minute = 60_000;
/** EWS has a name of its own: a foreign domain, or Exchange Online. */
const elsewhere = (host: string, expectations: Parameters<typeof policy>[0] = {}) => {
  const built = policy(expectations);
  return {
    ...built,
    targets: built.targets.map((target) => (target.id === "ews" ? { ...target, host } : target)),
  };
};

describe("clock-skew", () => {
  const sources = (collector: number | null, ...targets: number[]): Pick<SystemFacts, "clockSources"> => ({
    clockSources: [
      ...(collector === null ? [] : [{ source: "collector" as const, host: null, skewMs: collector }]),
      ...targets.map((skewMs, index) => ({ source: "target" as const, host: `h${index}.example.org`, skewMs })),
    ],
  });
  const at = (over: Partial<SystemFacts>): Cycle => ({ system: over });

  it("makes prompts expected on a machine of a domain whose clock is more than five minutes off by both sources", () => {
    const diagnosis = diagnosisOf(at(sources(7 * minute, 7 * minute - 900)));
    expect(primaryOf(diagnosis)).toMatchObject({
      pattern: "clock-skew",
      severity: "will-prompt",
      confidence: "medium",
      explains: false,
    });
    expect(primaryOf(diagnosis)?.cause).toBe("the machine's clock is 7 minutes behind");
    expect(primaryOf(diagnosisOf(at(sources(-7 * minute, -7 * minute))))?.cause).toContain("ahead");
  });

  it("is at risk between four and five minutes, and outside a domain", () => {
    for (const system of [
      sources(4.5 * minute, 4.5 * minute),
      { ...sources(9 * minute, 9 * minute), domainJoined: false },
      { ...sources(9 * minute, 9 * minute), domainJoined: null },
    ])
      expect(primaryOf(diagnosisOf(at(system)))).toMatchObject({ pattern: "clock-skew", severity: "at-risk" });
  });

  it("begins above four minutes exactly", () => {
    expect(found(at(sources(240_000, 240_000)))).toEqual([]);
    expect(found(at(sources(240_001, 240_001)))).toEqual(["clock-skew"]);
    const breaks = (ms: number) => primaryOf(diagnosisOf(at(sources(ms, ms))))?.severity;
    expect([breaks(300_000), breaks(300_001)]).toEqual(["at-risk", "will-prompt"]);
  });

  it("is not found where one source alone says so: then that server's clock may be off", () => {
    expect(found(at(sources(0, 8 * minute, 8 * minute)))).toEqual([]);
    expect(found(at(sources(8 * minute, 0)))).toEqual([]);
    expect(found(at(sources(8 * minute)))).toEqual([]);
  });

  it("takes two targets that agree where no collector was heard, and says nothing where none was", () => {
    expect(found(at({ clockSkewMs: 8 * minute }))).toEqual(["clock-skew"]);
    expect(found(at({ clockSkewMs: null }))).toEqual([]);
    expect(found(at({ clockSkewMs: null, ...sources(null, 8 * minute) }))).toEqual([]);
    expect(found({})).toEqual([]);
  });
});

describe("ntlm-policy-blocks", () => {
  const auth = (lmCompatibilityLevel: number | null, restrictSendingNtlmTraffic: number | null = null) => ({
    authentication: { lmCompatibilityLevel, restrictSendingNtlmTraffic },
  });
  const noKerberos = policy({ kerberos: "absent" });
  const bound = policy({ kerberos: "absent", extendedProtection: "on" });

  it("is at risk without a symptom, whatever the settings are", () => {
    for (const system of [auth(0), auth(2), auth(null, 2)])
      expect(primaryOf(diagnosisOf({ system }, { policy: bound }))).toMatchObject({
        pattern: "ntlm-policy-blocks",
        severity: "at-risk",
        confidence: "medium",
      });
  });

  it("makes prompts expected where people report them: at once with Extended Protection", () => {
    const severity = (system: Partial<SystemFacts>, of = bound) =>
      primaryOf(diagnosisOf({ system }, { policy: of, reportedMinutesAgo: [30] }))?.severity;
    expect(severity(auth(2))).toBe("prompting");
    expect(severity(auth(2), noKerberos)).toBe("will-prompt");
    expect(severity(auth(null, 2))).toBe("will-prompt");
  });

  it("needs a Kerberos that is absent: by the admin's word, without a domain, or without Negotiate", () => {
    expect(found({ system: auth(2) })).toEqual([]);
    expect(found({ system: { ...auth(2), domainJoined: false } })).toEqual(["ntlm-policy-blocks"]);
    const ntlmOnly = answered({ status: 401, wwwAuth: ["NTLM"], headers: { "x-feserver": "EX03" } });
    expect(found({ system: auth(2), configured: { ews: ntlmOnly } })).toEqual(["ntlm-policy-blocks"]);
    const works = policy({ kerberos: "works" });
    expect(found({ system: { ...auth(2), domainJoined: false } }, { policy: works })).toEqual([]);
  });

  it("is not found for level 3 and above, absent values, other restrictions, or values that were not read", () => {
    for (const system of [auth(3), auth(5), auth(null), auth(null, 1), auth(null, 0), { authentication: null }, {}])
      expect(found({ system }, { policy: bound })).toEqual([]);
    expect(found({}, { policy: bound })).toEqual([]);
  });

  it("is not found where Exchange offers no Windows login, or was not reached", () => {
    const configured = { ews: exchangeOnlineAnswer() };
    expect(found({ system: auth(2), configured }, { policy: bound })).toEqual([]);
    expect(found({ system: auth(2), configured: { ews: tcpTimeout() } }, { policy: bound })).not.toContain(
      "ntlm-policy-blocks",
    );
  });
});

describe("mixed-modern-auth", () => {
  const expectations = { mailboxInExchangeOnline: true, tenantEws: "enabled" } as const;
  const cloud = elsewhere("outlook.office365.com", expectations);
  const hybrid = (over: Cycle = {}): Cycle => ({
    windows: {},
    ...over,
    configured: { ews: exchangeOnlineAnswer(), "lync-abs": lyncAnswer(), ...over.configured },
  });

  it("is at risk without a symptom, and makes prompts expected with one", () => {
    expect(primaryOf(diagnosisOf(hybrid(), { policy: cloud }))).toMatchObject({
      pattern: "mixed-modern-auth",
      severity: "at-risk",
      confidence: "high",
    });
    const reported = diagnosisOf(hybrid(), { policy: cloud, reportedMinutesAgo: [5] });
    expect(primaryOf(reported)).toMatchObject({ pattern: "mixed-modern-auth", severity: "prompting" });
  });

  it("sees Exchange Online beside Exchange on premises, as in a hybrid organisation", () => {
    const built = policy(expectations);
    const [ews] = built.targets;
    const online = { ...ews!, id: "exchange-online", host: "outlook.office365.com" };
    const configured = { ews: exchangeAnswer(), "exchange-online": exchangeOnlineAnswer() };
    const both = { ...built, targets: [...built.targets, online] };
    expect(found(hybrid({ configured }), { policy: both })).toEqual(["mixed-modern-auth"]);
  });

  it("is not found where the value is set; Lync 2013 needs a second one", () => {
    expect(found(hybrid({ windows: { allowAdalForNonLync: 1 } }), { policy: cloud })).toEqual([]);
    const lync2013 = { lync: { installed: true, running: true, version: "15.0.5589" } };
    const old = (enableAdal: number | null) =>
      found(hybrid({ system: lync2013, windows: { allowAdalForNonLync: 1, enableAdal } }), { policy: cloud });
    expect(old(null)).toEqual(["mixed-modern-auth"]);
    expect(old(1)).toEqual([]);
    expect(found(hybrid({ windows: { allowAdalForNonLync: 0 } }), { policy: cloud })).toEqual(["mixed-modern-auth"]);
  });

  it("needs the admin's word, Exchange Online's answer, Lync on premises, and values that were read", () => {
    expect(found(hybrid())).toEqual([]);
    expect(found(hybrid({ configured: { ews: exchangeAnswer() } }), { policy: cloud })).toEqual([]);
    expect(found(hybrid({ configured: { "lync-abs": null } }), { policy: cloud })).toEqual([]);
    const { windows: _, ...unread } = hybrid();
    expect(found(unread, { policy: cloud })).toEqual([]);
  });
});

describe("exo-ews-retired", () => {
  const judged = (now: number, expectations: Parameters<typeof policy>[0], reports: { at: number }[] = []) => {
    const of = elsewhere("outlook.office365.com", { mailboxInExchangeOnline: true, ...expectations });
    const cycle = { settings: [{}], configured: { ews: exchangeOnlineAnswer() } };
    const { facts } = observe(emptyState(), cycle, now, of);
    const input = { facts, persistence: {}, policy: of, fleet: emptyFleet, newCycle: true, waivePersistence: true };
    return diagnose({ ...input, now, reports }).diagnosis;
  };
  const phaseOut = Date.UTC(2026, 9, 1);
  const end = Date.UTC(2027, 3, 1);

  it("is at risk where the policy says that the tenant's EWS is off, and prompts are expected with a report", () => {
    expect(primaryOf(judged(phaseOut, { tenantEws: "disabled" }))).toMatchObject({
      pattern: "exo-ews-retired",
      severity: "at-risk",
      confidence: "high",
    });
    expect(primaryOf(judged(phaseOut, { tenantEws: "disabled" }, [{ at: phaseOut - minute }]))?.severity).toBe(
      "prompting",
    );
  });

  it("is of low confidence where nobody said so, and never more than at risk then", () => {
    const finding = primaryOf(judged(phaseOut, {}, [{ at: phaseOut - minute }]));
    expect(finding).toMatchObject({ pattern: "exo-ews-retired", severity: "at-risk", confidence: "low" });
  });

  it("begins with October 2026, and holds for every tenant from April 2027 on", () => {
    expect(patternsOf(judged(phaseOut - 1, { tenantEws: "disabled" }))).toEqual([]);
    expect(patternsOf(judged(phaseOut, { tenantEws: "enabled" }))).toEqual([]);
    expect(patternsOf(judged(end - 1, { tenantEws: "enabled" }))).toEqual([]);
    expect(primaryOf(judged(end, { tenantEws: "enabled" }))).toMatchObject({
      pattern: "exo-ews-retired",
      confidence: "high",
    });
  });

  it("needs the admin's word on the mailbox, and Exchange Online's answer", () => {
    expect(
      found({ configured: { ews: exchangeOnlineAnswer() } }, { policy: policy({ tenantEws: "disabled" }) }),
    ).toEqual([]);
    const cloud = policy({ mailboxInExchangeOnline: true, tenantEws: "disabled" });
    expect(found({}, { policy: cloud })).toEqual([]);
  });
});

describe("trust-prompt-domain-mismatch", () => {
  const trusting = (trustModelData: string | null): Cycle => ({ windows: { trustModelData } });

  it("is at risk where Exchange lies outside the SIP domain and nothing trusts it", () => {
    const diagnosis = diagnosisOf(trusting(null), { policy: elsewhere("mail.fabrikam.example") });
    expect(primaryOf(diagnosis)).toMatchObject({
      pattern: "trust-prompt-domain-mismatch",
      severity: "at-risk",
      confidence: "high",
    });
    expect(diagnosis.sentence).toContain("no credential prompt");
  });

  it("is not found where the value, the policy, or the SIP domain covers the name", () => {
    const of = elsewhere("mail.fabrikam.example");
    for (const value of ["lync.com, fabrikam.example", "*.fabrikam.example;lync.com", "MAIL.fabrikam.example"])
      expect(found(trusting(value), { policy: of })).toEqual([]);
    const trusted = { trustedDomains: ["fabrikam.example"] };
    expect(found(trusting(null), { policy: elsewhere("mail.fabrikam.example", trusted) })).toEqual([]);
    expect(found(trusting(null))).toEqual([]);
  });

  it("compares names at their dots", () => {
    expect(found(trusting("brikam.example"), { policy: elsewhere("mail.fabrikam.example") })).toEqual([
      "trust-prompt-domain-mismatch",
    ]);
    expect(found(trusting(null), { policy: elsewhere("mail.notexample.org") })).toEqual([
      "trust-prompt-domain-mismatch",
    ]);
  });

  it("is found where a value for Exchange Online forgot the defaults, which it replaces", () => {
    const of = elsewhere("outlook.office365.com");
    const online = (value: string | null) =>
      found({ ...trusting(value), configured: { ews: exchangeOnlineAnswer() } }, { policy: of });
    expect(online("contoso.com")).toEqual(["trust-prompt-domain-mismatch"]);
    expect(online("contoso.com, outlook.com")).toEqual([]);
    expect(online(null)).toEqual([]);
  });

  it("is not found where the value was not read, the server did not answer, or no SIP domain is known", () => {
    const of = elsewhere("mail.fabrikam.example");
    expect(found({}, { policy: of })).toEqual([]);
    expect(found({ ...trusting(null), configured: { ews: serviceUnavailable() } }, { policy: of })).not.toContain(
      "trust-prompt-domain-mismatch",
    );
    expect(found(trusting(null), { policy: elsewhere("mail.fabrikam.example", { sipDomains: [] }) })).toEqual([]);
  });
});

describe("stale-credentials-suspected", () => {
  const good: Cycle = { configured: { "lyncdiscoverinternal-example.org": lyncAnswer() } };

  it("is found by reports that go on while everything answers", () => {
    const diagnosis = diagnosisOf(good, { reportedMinutesAgo: [200, 20] });
    expect(primaryOf(diagnosis)).toMatchObject({
      pattern: "stale-credentials-suspected",
      severity: "prompting",
      confidence: "low",
      explains: false,
    });
    expect(diagnosis.sentence).toContain("Credential prompts expected");
    expect(primaryOf(diagnosis)?.evidence.filter(({ key }) => key === "report")).toHaveLength(2);
  });

  it("calls a single report likely a normal first prompt", () => {
    const diagnosis = diagnosisOf(good, { reportedMinutesAgo: [20] });
    expect(primaryOf(diagnosis)).toMatchObject({ pattern: "stale-credentials-suspected", severity: "at-risk" });
    expect(diagnosis.sentence).toContain("likely a normal first prompt");
  });

  it("is never found from probes alone, nor by reports older than a day or of the future", () => {
    expect(found(good)).toEqual([]);
    expect(found(good, { reportedMinutesAgo: [1500, 1441] })).toEqual([]);
    expect(found(good, { reportedMinutesAgo: [-60] })).toEqual([]);
  });

  it("gives way to any other pattern that holds", () => {
    const skewed: Cycle = { ...good, system: { clockSkewMs: 8 * minute } };
    expect(found(skewed, { reportedMinutesAgo: [200, 20] })).toEqual(["clock-skew"]);
  });

  it("is not found where something that Lync needs is bad or was not seen", () => {
    const reported = { reportedMinutesAgo: [200, 20] };
    const lyncDown = { "lyncdiscoverinternal-example.org": serviceUnavailable() };
    expect(found({ configured: lyncDown }, reported)).not.toContain("stale-credentials-suspected");
    expect(found({ configured: { "sip-example.org": openPort() } }, reported)).toEqual([]);
    expect(found({ configured: { ...good.configured, ews: null } }, reported)).toEqual([]);
  });
});
