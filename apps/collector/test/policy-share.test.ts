import { describe, expect, it } from "vitest";
import { minSecondsPerHost } from "../src/policy.ts";
import { testPolicy } from "./support/facts.ts";

describe("an agent's share of the fleet's request budget", () => {
  const policy = testPolicy(1);
  it("is nothing to speak of in a small fleet", () => {
    expect(minSecondsPerHost({ ...policy, minSecondsPerHost: 0 }, 10, 15)).toBe(0);
  });
  it("grows with the fleet, in steps", () => {
    expect(minSecondsPerHost(policy, 3000, 15)).toBe(200);
    expect(minSecondsPerHost(policy, 3001, 15)).toBe(210);
  });
  it("leaves one probe of EWS a cycle", () => {
    expect(minSecondsPerHost(policy, 1_000_000, 15)).toBe(720);
  });
  it("is never less than what the policy says itself", () => {
    expect(minSecondsPerHost({ ...policy, minSecondsPerHost: 60 }, 1, 15)).toBe(60);
  });
});
