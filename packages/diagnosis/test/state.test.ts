import type { Confirmation } from "@lynceus/protocol/facts";
import { machineStateSchema } from "@lynceus/protocol/state";
import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { applyConfirmation, applyObservation, emptyState, ownCopy } from "../src/state.ts";
import { observation, script, settingsWith, start } from "./support/machine.ts";
import {
  basicOnlyExchange,
  exchangeAnswer,
  type Phases,
  policy,
  probe,
  slowExchangeAnswer,
  targetOf,
} from "./support/probes.ts";

const rules = policy();
const ews = (phases: Phases) => ({ kind: "probe" as const, facts: probe(targetOf("ews"), phases) });
const key = "c1:ews:configured";
const fold = (bodies: Parameters<typeof observation>[0][], state = emptyState(), from = start) =>
  bodies.reduce(
    (result, body, index) => {
      const at = from + index * 60_000;
      const next = applyObservation(result.state, observation(body, at), { at, replayed: false }, rules);
      return { state: next.state, changes: [...result.changes, ...next.changes] };
    },
    { state, changes: [] as ReturnType<typeof applyObservation>["changes"] },
  );
const confirmation = (over: Partial<Confirmation>): Confirmation => ({
  seq: 1_000_000,
  key: `probe:${key}`,
  digest: "00000000",
  at: start,
  ageMs: 0,
  location: "inside",
  timings: null,
  ...over,
});

describe("folding probes", () => {
  it("keeps the verdict's beginning while it lasts, and says when it changes", () => {
    const { state, changes } = fold([ews(exchangeAnswer()), ews(slowExchangeAnswer(50)), ews(basicOnlyExchange())]);
    expect(state.facts.probes[key]).toMatchObject({ verdict: "exchange-basic-only", verdictSince: start + 120_000 });
    expect(changes.map(({ text }) => text)).toEqual(["EWS, configured: exchange-onprem → exchange-basic-only"]);
    expect(changes[0]).toMatchObject({
      kind: "verdict",
      detail: "mail.example.org",
      replayed: false,
      key: `probe:${key}`,
    });
  });

  it("keeps the facts' beginning while the digest stays", () => {
    const { state } = fold([ews(exchangeAnswer()), ews(exchangeAnswer())]);
    expect(state.facts.probes[key]).toMatchObject({ since: start, at: start + 60_000, verdictSince: start });
  });

  it("in place on a copy of one's own gives what copying gives, and leaves the original alone", () => {
    const { state: before } = fold([ews(exchangeAnswer())]);
    const kept = structuredClone(before);
    const later = observation(ews(basicOnlyExchange()), start + 60_000);
    const times = { at: start + 60_000, replayed: false };
    const copied = applyObservation(before, later, times, rules);
    const inPlace = applyObservation(ownCopy(before), later, times, rules, true);
    expect(inPlace).toEqual(copied);
    const confirmed = confirmation({ digest: later.digest, seq: later.seq + 1, at: start + 120_000 });
    const confirmedAt = { at: start + 120_000, replayed: false };
    expect(applyConfirmation(ownCopy(copied.state), confirmed, confirmedAt, true)).toEqual(
      applyConfirmation(copied.state, confirmed, confirmedAt),
    );
    expect(before).toEqual(kept);
  });

  it("keeps the last ten verdicts with their timings and back end", () => {
    const { state } = fold(Array.from({ length: 14 }, () => ews(exchangeAnswer())));
    const { ring } = state.facts.probes[key]!;
    expect(ring).toHaveLength(10);
    expect(ring[9]).toEqual({
      at: start + 13 * 60_000,
      verdict: "exchange-onprem",
      location: "inside",
      totalMs: 43,
      phases: [3, 8, null, 12, 20],
      peer: "10.1.20.15 EX03",
    });
  });

  it("lets an older replay complete history without touching the present", () => {
    const { state } = fold([ews(exchangeAnswer())]);
    const late = { ...observation(ews(basicOnlyExchange()), start - 60_000), seq: 0 + 1 };
    const present = {
      ...state,
      facts: { ...state.facts, probes: { [key]: { ...state.facts.probes[key]!, seq: 50 } } },
    };
    expect(applyObservation(present, late, { at: start - 60_000, replayed: true }, rules)).toEqual({
      state: present,
      changes: [],
    });
  });

  it("takes a new epoch's first numbers, since they are later", () => {
    const { state } = fold([ews(exchangeAnswer())]);
    const first = { ...observation(ews(basicOnlyExchange()), start + 1), seq: 1 };
    const next = applyObservation(state, first, { at: start + 1, replayed: false }, rules).state;
    expect(next.facts.probes[key]?.verdict).toBe("exchange-basic-only");
  });

  it("changes nothing in the state that it was given", () => {
    const { state } = fold([ews(exchangeAnswer())]);
    const copy = structuredClone(state);
    fold([ews(basicOnlyExchange())], state, start + 60_000);
    expect(state).toEqual(copy);
  });

  it("holds a bounded number of probes, whatever the machine sends", () => {
    const slot = fold([ews(exchangeAnswer())]).state.facts.probes[key]!;
    const slots = Array.from({ length: 1024 }, (_, i) => [`c1:t${i}:configured`, { ...slot, at: start + i }] as const);
    const full = { ...emptyState(), facts: { ...emptyState().facts, probes: Object.fromEntries(slots) } };
    const facts = { ...probe(targetOf("ews"), exchangeAnswer()), target: "t1024" };
    const times = { at: start + 2000, replayed: false };
    const { state } = applyObservation(full, observation({ kind: "probe", facts }, times.at), times, rules);
    expect(Object.keys(state.facts.probes)).toHaveLength(1024);
    expect(state.facts.probes["c1:t1024:configured"]).toBeDefined();
    expect(state.facts.probes["c1:t0:configured"]).toBeUndefined();
  });

  it("keeps a configuration named like an object's inside apart", () => {
    const facts = { ...probe(targetOf("ews"), exchangeAnswer()), configuration: "constructor" };
    const { state } = fold([
      { kind: "probe", facts },
      { kind: "pac", facts: script({ configuration: "constructor" }) },
    ]);
    expect(Object.hasOwn(state.facts.pac, "constructor")).toBe(true);
    expect(state.facts.probes["constructor:ews:configured"]?.verdict).toBe("exchange-onprem");
  });
});

describe("confirmations", () => {
  const { state } = fold([ews(exchangeAnswer())]);
  const { digest } = state.facts.probes[key]!;
  const at = { at: start + 900_000, replayed: false };

  it("moves the time on, adds to the ring, and takes the new timings", () => {
    const timings = { dns: 1, tcp: 2, connect: null, tls: 3, http: 2600, total: 2606 };
    const slot = applyConfirmation(state, confirmation({ digest, timings }), at).facts.probes[key]!;
    expect(slot).toMatchObject({ at: start + 900_000, since: start, verdictSince: start });
    expect(slot.ring).toHaveLength(2);
    expect(slot.ring[1]?.phases).toEqual([1, 2, null, 3, 2600]);
    expect(slot.facts.http?.ms).toBe(2600);
  });

  it("says nothing where the key or the digest is not the state's", () => {
    for (const over of [
      {},
      { digest, key: "probe:c9:ews:configured" },
      { digest, key: "probe:__proto__" },
      { digest, key: "?" },
    ])
      expect(applyConfirmation(state, confirmation(over), at)).toBe(state);
  });

  it("moves settings and scripts on as well", () => {
    const body = { kind: "settings" as const, facts: settingsWith([{}]) };
    const known = fold([body, { kind: "pac", facts: script() }]).state;
    const settings = confirmation({ key: "settings", digest: known.facts.settings!.digest });
    expect(applyConfirmation(known, settings, at).facts.settings?.at).toBe(at.at);
    const pac = confirmation({ key: "pac:c1", digest: known.facts.pac.c1!.digest });
    expect(applyConfirmation(known, pac, at).facts.pac.c1?.at).toBe(at.at);
  });

  it("keeps the ring at ten and the state within its schema, whatever comes", () => {
    fc.assert(
      fc.property(fc.array(fc.boolean(), { maxLength: 30 }), (steps) => {
        let now = state;
        steps.forEach((confirmed, index) => {
          const times = { at: start + index, replayed: false };
          now = confirmed
            ? applyConfirmation(now, confirmation({ digest }), times)
            : applyObservation(now, observation(ews(exchangeAnswer()), times.at), times, rules).state;
        });
        expect(now.facts.probes[key]!.ring.length).toBeLessThanOrEqual(10);
        expect(machineStateSchema.safeParse(now).success).toBe(true);
      }),
      { numRuns: 50 },
    );
  });
});

describe("changes", () => {
  const settings = (...list: Parameters<typeof settingsWith>) => ({
    kind: "settings" as const,
    facts: settingsWith(...list),
  });

  it("names each setting that differs, once for all users that share the difference", () => {
    const { changes, state } = fold([
      settings([{ users: 3 }]),
      settings([{ users: 3, autoDetect: true, server: "px1:8080", bypass: "*.example.org" }]),
    ]);
    expect(changes.map(({ text, detail }) => [text, detail])).toEqual([
      ["Automatically detect settings: off → on", "3 users"],
      ["Proxy server: none → px1:8080", "3 users"],
      ["Bypass list: none → *.example.org", "3 users"],
    ]);
    expect(state.facts.previousSettings?.facts.configurations[0]?.settings.server).toBeNull();
  });

  it("says nothing for the first reading, and names machine-wide settings", () => {
    const winhttp = { flags: 3, server: "px9:80", bypass: "" };
    const { changes } = fold([settings([{}]), settings([{}], { winhttp32: winhttp })]);
    expect(changes.map(({ text }) => text)).toEqual(["WinHTTP 32-bit, Proxy: none → px9:80"]);
  });

  it("names a script whose content or download changed, and keeps the one before", () => {
    const other = "41ab0700".repeat(8);
    const { changes, state } = fold([
      { kind: "pac", facts: script() },
      { kind: "pac", facts: script({ sha256: other }) },
      { kind: "pac", facts: script({ sha256: null, fetch: "timeout" }) },
    ]);
    expect(changes.map(({ text }) => text)).toEqual([
      "Script content 9f3c1e → 41ab07",
      "Script download: ok → timeout",
    ]);
    expect(state.facts.previousPac.c1?.facts.sha256).toBe(other);
  });

  it("names another agent version", () => {
    const system = (agentVersion: string) => ({
      os: "linux" as const,
      osVersion: "12",
      agentVersion,
      hostname: "h",
      domainJoined: null,
      timeZone: "UTC",
      privateAddresses: [],
      resolvers: [],
      dnsSuffixes: [],
      gatewayHash: null,
      vpnUp: null,
      locationBy: "none" as const,
      clockSkewMs: null,
      lync: { installed: null, running: null, version: null },
      simulated: false,
    });
    const apply = (state: ReturnType<typeof emptyState>, version: string) =>
      applyObservation(
        state,
        {
          kind: "system",
          facts: system(version),
          seq: 1,
          at: start,
          ageMs: 0,
          location: "inside",
          key: "system",
          digest: `0000000${version.at(-1)}`,
        },
        { at: start, replayed: true },
        rules,
      );
    const first = apply(emptyState(), "1.4.2");
    expect(first.changes).toEqual([]);
    expect(apply(first.state, "1.5.0").changes).toMatchObject([
      { kind: "agent", text: "Agent 1.4.2 → 1.5.0", replayed: true },
    ]);
  });
});
