import type { ProbeFacts } from "@lynceus/protocol/facts";
import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { factsDigest, phaseTimings } from "../src/digest.ts";
import { knownFacts } from "../src/known-facts.ts";
import { probeFacts } from "./support/probe-facts.ts";

const digest = (facts: unknown) => factsDigest("probe", facts);
const http = (headers: Record<string, string>): ProbeFacts =>
  probeFacts({
    http: {
      status: 401,
      error: null,
      wwwAuth: ["negotiate", "ntlm"],
      bearerClientId: null,
      headers,
      location: null,
      bodyClass: "empty",
      proto: "HTTP/1.1",
      untrusted: false,
      redirects: [],
      ms: 12,
    },
  });

describe("the digest of facts", () => {
  it("is the same whatever the timings were", () => {
    const one = probeFacts({
      totalMs: 10,
      dns: { ok: true, name: "a", rcode: "NOERROR", addresses: ["10.0.0.1"], ms: 1 },
    });
    const two = probeFacts({
      totalMs: 99,
      dns: { ok: true, name: "a", rcode: "NOERROR", addresses: ["10.0.0.1"], ms: 7.5 },
    });
    expect(digest(one)).toBe(digest(two));
  });

  it("is the same whichever hosts told the time, and differs when a clock is off by another minute", () => {
    const system = (...clockSources: { source: string; host: string | null; skewMs: number }[]) =>
      factsDigest("system", { clockSources });
    const collector = { source: "collector", host: null, skewMs: 1000 };
    const target = (host: string, skewMs: number) => ({ source: "target", host, skewMs });
    expect(system(collector, target("a", 2000))).toBe(system(target("b", -3000), target("c", 0), collector));
    expect(system(collector, target("a", 2000))).not.toBe(system(collector, target("a", 300_000)));
    expect(system(collector, target("a", 2000))).not.toBe(system(target("a", 2000)));
  });

  it.each(["date", "age", "request-id", "cf-ray", "x-cache", "content-length"])(
    "is the same whatever the value of %s was, but not without it",
    (name) => {
      expect(digest(http({ server: "IIS", [name]: "a" }))).toBe(digest(http({ server: "IIS", [name]: "b" })));
      expect(digest(http({ server: "IIS", [name]: "a" }))).not.toBe(digest(http({ server: "IIS" })));
    },
  );

  it.each(["server", "via", "x-feserver", "www-authenticate", "location"])("differs with the value of %s", (name) => {
    expect(digest(http({ [name]: "a" }))).not.toBe(digest(http({ [name]: "b" })));
  });

  it("is the same for addresses in another order, and differs for other addresses", () => {
    const of = (addresses: string[]) =>
      digest(probeFacts({ dns: { ok: true, name: "a", rcode: "NOERROR", addresses, ms: 1 } }));
    expect(of(["10.0.0.1", "10.0.0.2"])).toBe(of(["10.0.0.2", "10.0.0.1"]));
    expect(of(["10.0.0.1"])).not.toBe(of(["10.0.0.2"]));
  });

  it("differs for auth schemes in another order, which clients take as a preference", () => {
    const base = http({});
    const swapped = { ...base, http: base.http && { ...base.http, wwwAuth: ["ntlm", "negotiate"] } };
    expect(digest(base)).not.toBe(digest(swapped));
  });

  it("is the same for a clock that is measured a second off, and differs when the clock is minutes off", () => {
    const of = (clockSkewMs: number) => factsDigest("system", { clockSkewMs });
    expect(of(200)).toBe(of(-900));
    expect(of(0)).not.toBe(of(300_000));
  });

  it("does not depend on the order of keys, differs by kind, and is hex of one length", () => {
    fc.assert(
      fc.property(fc.dictionary(fc.string(), fc.jsonValue({ maxDepth: 3 })), (facts) => {
        const reversed = Object.fromEntries(Object.entries(facts).reverse());
        expect(digest(reversed)).toBe(digest(facts));
        expect(digest(facts)).toMatch(/^[0-9a-f]{32}$/);
        expect(factsDigest("pac", facts)).not.toBe(digest(facts));
      }),
    );
  });
});

describe("the timings of a confirmation", () => {
  it("are the phases' milliseconds, null where a phase was not reached", () => {
    const facts = probeFacts({
      totalMs: 9,
      tcp: { ok: false, host: "a", address: null, port: 1, error: "refused", ms: 4 },
    });
    expect(phaseTimings(facts)).toEqual({ dns: null, tcp: 4, connect: null, tls: null, http: null, total: 9 });
  });
});

describe("known facts", () => {
  it("hold while digest and location are the same, for a day at most", () => {
    const known = knownFacts();
    known.remember("a", "d1", "inside", 1, 0);
    expect(known.holds("a", "d1", "inside", 1000)).toBe(true);
    expect(known.holds("a", "d2", "inside", 1000)).toBe(false);
    expect(known.holds("a", "d1", "outside", 1000)).toBe(false);
    expect(known.holds("a", "d1", "inside", 86_400_000)).toBe(false);
  });

  it("are forgotten with the entry that carried them, and not with an older one", () => {
    const known = knownFacts();
    known.remember("a", "d1", "inside", 5, 0);
    known.forget("a", 4);
    expect(known.holds("a", "d1", "inside", 1)).toBe(true);
    known.forget("a", 5);
    expect(known.holds("a", "d1", "inside", 1)).toBe(false);
  });

  it("are bounded: the longest unused goes first", () => {
    const known = knownFacts(2);
    known.remember("a", "d", "inside", 1, 0);
    known.remember("b", "d", "inside", 2, 0);
    known.holds("a", "d", "inside", 1);
    known.remember("c", "d", "inside", 3, 0);
    expect(["a", "b", "c"].map((key) => known.holds(key, "d", "inside", 1))).toEqual([true, false, true]);
  });
});
