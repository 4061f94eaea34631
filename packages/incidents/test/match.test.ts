import { alertMachineFields } from "@lynceus/protocol/alert-filter";
import { describe, expect, it } from "vitest";
import { matcherOf } from "../src/match.ts";
import { finding, machine } from "./support/world.ts";

const fits = (text: string, change: Parameters<typeof machine>[1] = {}, incident: number | null = 1182) =>
  matcherOf(text).member({
    machine: machine("sin-ws-0118", { tags: ["vip", "finance"], ...change }),
    incident,
    urgency: "high",
  });

describe("a filter over a failing machine", () => {
  it.each([
    ["", true],
    ["site:singapore", true],
    ["site:sing*", true],
    ["site:manila,singapore", true],
    ["-site:singapore", false],
    ["site:manila", false],
    ["tag:VIP", true],
    ["-tag:pilot", true],
    ["-tag:finance", false],
    ["pattern:proxy-auth-required site:singapore", true],
    ["pattern:proxy-* severity:prompting", true],
    ["severity:will-prompt", false],
    ["cause:*px1*", true],
    ["route:px1", true],
    ["route:px1:8080", true],
    ["route:direct", false],
    ["pac:none", true],
    ["target:ews", true],
    ["location:inside simulated:no os:windows agent:1.4.*", true],
    ["incident:1182", true],
    ["incident:none", false],
    ["urgency:high", true],
    ["0118", true],
    ["name:MNL-*", false],
    ["site:unknown", false],
    ["issuer:unknown", true],
    ["issuer:*zscaler*", false],
    // What was not observed is never matched by a negation.
    ["-issuer:*zscaler*", false],
  ])("%s", (text, expected) => {
    expect(fits(text)).toBe(expected);
  });

  it("tells none from unknown", () => {
    expect(fits("site:none", { site: null })).toBe(true);
    expect(fits("primary:none", { primary: null, patterns: [] })).toBe(true);
    expect(fits("primary:unknown", { primary: null, patterns: [], status: "cannot-tell" })).toBe(true);
    expect(fits("incident:none", {}, null)).toBe(true);
    expect(fits("tag:none", { tags: [] })).toBe(true);
  });

  it("answers every field that a silence may name", () => {
    for (const field of alertMachineFields) {
      const text = `${field}:unknown`;
      expect([field, matcherOf(text).terms.length]).toEqual([field, 1]);
    }
    expect(fits("confidence:high", { primary: finding("clock-skew", "x") })).toBe(true);
  });
});
