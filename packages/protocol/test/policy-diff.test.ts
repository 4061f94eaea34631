import { describe, expect, it } from "vitest";
import { policyDifferences } from "../src/policy-diff.ts";
import { buildPolicy, type PresetInput } from "../src/presets.ts";
import { isNobody, rolloutText } from "../src/rollout.ts";

const company: PresetInput = { ews: ["mail.contoso.com"], smtpDomains: ["contoso.com"], sipDomains: [] };

describe("what a policy changes", () => {
  it("is nothing between two versions of the same text", () => {
    expect(policyDifferences(buildPolicy(company, 1), buildPolicy(company, 2))).toEqual([]);
  });

  it("names a target that comes once, and every value that is another", () => {
    const before = buildPolicy(company, 1);
    const after = buildPolicy(
      { ...company, ews: ["mail.contoso.com", "owa.contoso.com:8443"], requiresProxy: true },
      2,
    );
    expect(policyDifferences(before, after)).toEqual([
      { what: "target ews-2", before: null, after: "https owa.contoso.com:8443/EWS/Exchange.asmx" },
      { what: "group ews: anyOf", before: "ews", after: "ews, ews-2" },
      { what: "expected: requiresProxy", before: "false", after: "true" },
    ]);
    expect(policyDifferences(after, before)[2]).toEqual({
      what: "target ews-2",
      before: "https owa.contoso.com:8443/EWS/Exchange.asmx",
      after: null,
    });
  });
});

describe("who takes part in a roll-out", () => {
  it("is said in words", () => {
    const nobody = { percent: 0, sites: [], tags: [], machines: [] };
    expect(isNobody(nobody)).toBe(true);
    expect(rolloutText(nobody)).toBe("nobody");
    expect(rolloutText({ ...nobody, percent: 10, sites: ["Bern", "Graz"], machines: ["a"] })).toBe(
      "10 % of the fleet, at Bern, Graz, 1 chosen machine",
    );
    expect(rolloutText({ ...nobody, tags: ["a", "b", "c", "d"] })).toBe("4 tags");
  });
});
