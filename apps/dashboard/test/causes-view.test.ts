import type { Cause, CauseCandidate } from "@lynceus/protocol/read-api";
import { describe, expect, test } from "vitest";
import {
  causeSubject,
  chanceText,
  explainsText,
  healthyText,
  noCauseText,
  separatesText,
  sharedTerm,
  subjectOf,
} from "../src/components/causes/words.ts";

const candidate = (over: Partial<CauseCandidate> = {}): CauseCandidate => ({
  key: "pac-hash",
  value: "41ab07".padEnd(64, "1"),
  failingWith: 347,
  failingWithout: 4,
  failingUnknown: 0,
  healthyWith: 0,
  healthyWithout: 9_812,
  healthyUnknown: 0,
  logP: -1_201,
  ...over,
});
const cause = (over: Partial<Cause> = {}): Cause => ({
  ...candidate(),
  id: "0195f0a0-0000-4000-8000-000000000002",
  simulated: false,
  location: "inside",
  text: "",
  explains: 347,
  of: 351,
  confidence: "high",
  firstSeen: "2026-11-24T09:16:00Z",
  since: "2026-11-24T09:18:10Z",
  updatedAt: "2026-11-24T09:40:00Z",
  clearedAt: null,
  change: {
    id: null,
    at: "2026-11-24T09:14:00Z",
    changeKey: "script:9f3c1e→41ab07",
    text: "Script content 9f3c1e → 41ab07",
    by: "value",
    seenOn: 347,
  },
  also: [],
  counterExamples: { failing: [], healthy: [] },
  ...over,
});
const context = { now: Date.parse("2026-11-24T10:00:00Z"), zone: "UTC" };

describe("a cause's sentence", () => {
  test("names the change that set the shared value, and when", () => {
    expect(causeSubject(cause(), context)).toBe("A PAC change at 09:14");
    expect(causeSubject(cause({ key: "tls-spki" }), context)).toBe("A certificate change at 09:14");
  });
  test("names the kind of a change that only stood beside it", () => {
    const change = { ...cause().change, changeKey: "agent:1.4.2→1.5.0", by: "machines" } as Cause["change"];
    expect(causeSubject(cause({ key: "site", value: "Bern", change }), context)).toBe("An agent update at 09:14");
  });
  test("names what is shared where no change was seen", () => {
    expect(causeSubject(cause({ change: null }), context)).toBe("Proxy script 41ab07");
    expect(subjectOf({ key: "proxy", value: "px1.contoso.com:8080" })).toBe("px1.contoso.com:8080");
    expect(subjectOf({ key: "proxy", value: "none" })).toBe("No proxy");
  });
  test("shows a hostile value as the text it is", () => {
    expect(subjectOf({ key: "tls-issuer", value: "Contoso\u202eCA" })).toBe("TLS issuer Contoso⟨U+202E⟩CA");
  });
  test("says of how many, and never all when some do not fit", () => {
    expect(explainsText({ explains: 347, of: 351 })).toBe("explains 347 of the 351 failing machines");
    expect(explainsText({ explains: 351, of: 351 })).toBe("explains all 351 failing machines");
    expect(explainsText({ explains: 1, of: 1 })).toBe("explains the failing machine");
  });
  test("counts the healthy whose value is known, and says of how many it is not", () => {
    expect(healthyText(candidate())).toBe("0 of 9,812 healthy share it");
    expect(healthyText(candidate({ healthyWith: 1, healthyUnknown: 30 }))).toBe(
      "1 of 9,813 healthy shares it (30 unknown)",
    );
  });
});

describe("a candidate", () => {
  test("separates fully only where both sides are clean", () => {
    expect(separatesText(candidate({ failingWithout: 0 }))).toBe("separates fully");
    expect(separatesText(candidate())).toBe("no healthy one has it");
    expect(separatesText(candidate({ healthyWith: 9_000, healthyWithout: 812 }))).toBe("healthy share it");
    expect(separatesText(candidate({ healthyWith: 15 }))).toBe("15 healthy share it");
  });
  test("that nobody's value was seen of is not known, which is not zero", () => {
    const unseen = candidate({ failingWith: 0, failingWithout: 0, failingUnknown: 351 });
    expect(separatesText(unseen)).toBe("not known of 351");
  });
  test("opens the machines that share it where the filter language can say so", () => {
    expect(sharedTerm({ key: "proxy", value: "px1.contoso.com:8080" })).toBe("route:px1.contoso.com:8080");
    expect(sharedTerm({ key: "proxy", value: "none" })).toBe("route:direct");
    expect(sharedTerm({ key: "site", value: "São Paulo" })).toBe('site:"São Paulo"');
    expect(sharedTerm({ key: "os-build", value: "26100" })).toBeNull();
  });
  test("says how likely chance is without a false zero", () => {
    expect(chanceText(-0.5)).toBe("may be chance");
    expect(chanceText(Math.log(1 / 2_000))).toBe("by chance in less than 1 of 1,000 fleets");
    expect(chanceText(-1_201)).toBe("by chance in less than 1 of 10⁵²¹ fleets");
  });
});

test("why no cause is named is said, also without a control group", () => {
  expect(noCauseText({ noCause: "no-control-group", failing: 40 })).toBe(
    "No machine is healthy, so no cause can be named.",
  );
  expect(noCauseText({ noCause: "too-few", failing: 1 })).toBe("1 failing machine is too few to compare.");
  expect(noCauseText({ noCause: null, failing: 40 })).toBeNull();
});
