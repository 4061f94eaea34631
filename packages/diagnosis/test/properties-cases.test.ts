import { type Confidence, confidences, locations, type Verdict } from "@lynceus/protocol/names";
import type { Diagnosis } from "@lynceus/protocol/state";
import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { cases } from "../fixtures/cases.ts";
import { type Case, diagnosisOf, outcomeOf } from "../fixtures/judge.ts";
import { cyclesOf, type ObservedCycle, peers, px1, px2, site } from "../fixtures/machine.ts";
import { patternById } from "../src/catalogue.ts";
import type { FleetGroup } from "../src/fleet.ts";

/* What must hold of every labelled machine, whatever is shuffled, left out or added. */

/** Two days of cycles say nothing here that two cycles do not. */
const short = cases.filter(({ machine }) => (machine.cycles?.length ?? 2) < 20);
const anyCase = fc.constantFrom(...short);

const seen = new Map<string, { cycles: ObservedCycle[]; diagnosis: Diagnosis }>();
/** The machine as it is labelled, judged once. */
function whole({ name, machine }: Case) {
  const known = seen.get(name);
  if (known) return known;
  const cycles = cyclesOf(machine);
  const fresh = { cycles, diagnosis: diagnosisOf(machine, { cycles }) };
  seen.set(name, fresh);
  return fresh;
}

/** Hundreds of machines are judged in each test, on machines with other work. */
const slow = { timeout: 60_000 };

describe("the order of a cycle's observations", () => {
  it("changes nothing of the diagnosis", slow, () => {
    const shuffled = anyCase.chain((each) => {
      const { cycles } = whole(each);
      const orders = cycles.map(({ observations }) =>
        fc.shuffledSubarray([...observations], { minLength: observations.length, maxLength: observations.length }),
      );
      return fc.tuple(fc.constant(each), fc.tuple(...orders));
    });
    fc.assert(
      fc.property(shuffled, ([each, orders]) => {
        const { cycles, diagnosis } = whole(each);
        const other = cycles.map((cycle, index) => ({ ...cycle, observations: orders[index] ?? [] }));
        expect(diagnosisOf(each.machine, { cycles: other }), each.name).toEqual(diagnosis);
      }),
      { numRuns: 100 },
    );
  });
});

/** A healthy machine that shares nothing with anyone: its own site, proxy, network, resolver, server and certificate. */
const stranger = (over: Partial<FleetGroup> = {}): FleetGroup =>
  peers(1, {
    site: "Elsewhere",
    route: "px9.contoso.com:8080",
    tlsIssuer: "Elsewhere CA",
    tlsSpki: "99".repeat(32),
    backEnd: "EX99",
    address: "10.99.1.15",
    subnet: "10.99.1.0/24",
    pacHash: "none",
    pacNew: null,
    changedTo: null,
    dnsAnswer: "10.99.1.15",
    ...over,
  });
const verdict = fc.constantFrom<Verdict>(
  "exchange-onprem",
  "tcp-timeout",
  "exchange-down",
  "proxy-upstream-fail",
  "proxy-unreachable",
  "proxy-auth-required",
);
const group: fc.Arbitrary<FleetGroup> = fc
  .record({
    site: fc.constantFrom(site, "Bern", "Basel"),
    location: fc.constantFrom(...locations),
    route: fc.constantFrom("direct", px1, px2),
    verdictConfigured: verdict,
    verdictDirect: verdict,
    backEnd: fc.constantFrom("EX01", "EX02", null),
    address: fc.constantFrom("10.1.20.15", "10.1.20.16", null),
    pacHash: fc.constantFrom("none", "aa11".repeat(16), "bb22".repeat(16), null),
    pacNew: fc.constantFrom(true, false, null),
    changedTo: fc.constantFrom(null, "c1", "c2"),
    tlsSpki: fc.constantFrom("aa".repeat(32), "bb".repeat(32)),
    tlsSpkiBefore: fc.constantFrom(null, "aa".repeat(32)),
    dnsAnswer: fc.constantFrom("10.1.20.15", "203.0.113.20", null),
  })
  .map((over) => peers(1, over));
const fleet = fc
  .array(fc.tuple(group, fc.integer({ min: 1, max: 30 })), { maxLength: 8 })
  .map((groups) => groups.map(([each, machines]) => ({ ...each, machines })));

describe("a healthy machine that has nothing to do with another", () => {
  const added = (each: Case, among: readonly FleetGroup[], newcomer: FleetGroup) => {
    const patterns = (list: readonly FleetGroup[]) =>
      diagnosisOf({ ...each.machine, peers: list }, { cycles: whole(each).cycles }).findings.map(
        ({ pattern }) => pattern,
      );
    const before = patterns(among);
    return patterns([...among, newcomer]).filter((pattern) => !before.includes(pattern));
  };

  it("adds no finding to it from another location, whatever the fleet is", slow, () => {
    fc.assert(
      fc.property(anyCase, fleet, (each, others) => {
        const elsewhere = (each.machine.location ?? "inside") === "vpn" ? "inside" : "vpn";
        expect(added(each, others, stranger({ location: elsewhere })), each.name).toEqual([]);
      }),
      { numRuns: 100 },
    );
  });

  it(
    "adds no finding to it at another site of the same location, where there are others to compare with already",
    slow,
    () => {
      fc.assert(
        fc.property(anyCase, fleet, (each, others) => {
          const location = each.machine.location ?? "inside";
          // What most machines see as Exchange's certificate is a comparison of its own: the newcomer has seen none.
          const newcomer = { ...stranger(), location, tlsIssuer: null, tlsSpki: null };
          const control = { ...newcomer, machines: 3 };
          expect(added(each, [...others, control], newcomer), each.name).toEqual([]);
        }),
        { numRuns: 100 },
      );
    },
  );

  it("adds no finding to any labelled machine", slow, () => {
    for (const each of short)
      expect(added(each, each.machine.peers ?? [], stranger({ location: "unknown" })), each.name).toEqual([]);
  });
});

const rank = (confidence: Confidence) => -confidences.indexOf(confidence);
/** A portal or a finding of the fleet hides what the machine has of its own; without it, that is seen again. */
const hides = ({ findings }: Diagnosis) =>
  findings.some(({ pattern }) => ["location", "fleet"].includes(patternById(pattern).scope));

describe("facts that are left out", () => {
  const reduced = anyCase.chain((each) => {
    const keys = [...new Set(whole(each).cycles.flatMap(({ observations }) => observations.map(({ key }) => key)))];
    return fc.tuple(
      fc.constant(each),
      fc.oneof(
        fc.constantFrom(...keys).map((key) => [key]),
        fc.subarray(keys),
      ),
    );
  });
  const without = (each: Case, keys: readonly string[]) => {
    const cycles = whole(each).cycles.map((cycle) => ({
      ...cycle,
      observations: cycle.observations.filter(({ key }) => !keys.includes(key)),
    }));
    return diagnosisOf(each.machine, { cycles });
  };

  it("never make a machine healthy or failing that was neither", slow, () => {
    fc.assert(
      fc.property(reduced, ([each, keys]) => {
        const { status } = without(each, keys);
        if (status === "healthy" || status === "failing") expect(status, each.name).toBe(whole(each).diagnosis.status);
      }),
      { numRuns: 200 },
    );
  });

  it("never make a finding certain that was not", slow, () => {
    fc.assert(
      fc.property(reduced, ([each, keys]) => {
        const { diagnosis } = whole(each);
        for (const { pattern, confidence } of without(each, keys).findings) {
          if (confidence !== "high") continue;
          const before = diagnosis.findings.find((finding) => finding.pattern === pattern);
          if (before) expect(rank(before.confidence), `${each.name}: ${pattern}`).toBe(rank("high"));
          else expect(hides(diagnosis), `${each.name}: ${pattern} without ${keys.join(" ")}`).toBe(true);
        }
      }),
      { numRuns: 200 },
    );
  });

  it("leave a machine that cannot be told when all of Exchange is left out, whatever it was", slow, () => {
    for (const each of short) {
      const { cycles, diagnosis } = whole(each);
      const keys = cycles
        .flatMap(({ observations }) => observations)
        .flatMap((one) => (one.kind === "probe" && one.facts.endpoint.service === "ews" ? [one.key] : []));
      const { status } = without(each, keys);
      expect(["cannot-tell", "stale", diagnosis.status === "failing" ? "failing" : "cannot-tell"], each.name).toContain(
        status,
      );
      expect(outcomeOf(diagnosis).status === "healthy" && status === "healthy", each.name).toBe(false);
    }
  });
});
