import { applyObservation, emptyState } from "@lynceus/diagnosis/state";
import type { Observation } from "@lynceus/protocol/facts";
import { completionOf, splitTerms, tokenParts } from "@lynceus/protocol/filter-completion";
import { buildPolicy } from "@lynceus/protocol/presets";
import type { MachineRow } from "@lynceus/protocol/read-api";
import { describe, expect, test } from "vitest";
import { progressText } from "../src/components/machine/probe-now.tsx";
import { sentenceRuns } from "../src/components/machine/sentence.ts";
import { settingsDiff } from "../src/components/machine/settings-diff.ts";
import { settingsTable } from "../src/components/machine/settings-view.ts";
import { stripOf, timeTicks } from "../src/components/machine/strips.ts";
import { machinesHref, term } from "../src/components/machines/links.ts";
import { rowView } from "../src/components/machines/row-view.ts";
import { views } from "../src/components/machines/views.ts";
import { domain, ewsHost, pacFacts, scripts, settingsFacts } from "./support/facts.ts";

const hour = 3_600_000;
const t0 = Date.UTC(2026, 10, 24, 2, 12);
const policy = buildPolicy({ ews: [ewsHost], smtpDomains: [domain], sipDomains: [domain] }, 1);

function factsOf(...observations: [kind: Observation["kind"], key: string, facts: Observation["facts"], at: number][]) {
  let state = emptyState();
  for (const [i, [kind, key, facts, at]] of observations.entries()) {
    const digest = `${i}`.padStart(8, "0");
    const observation = { seq: i + 1, at, ageMs: 0, location: "inside", key, digest, kind, facts } as Observation;
    state = applyObservation(state, observation, { at, replayed: false }, policy).state;
  }
  return state.facts;
}
const settings = (over: { server?: string | null } = {}) =>
  settingsFacts({ configurations: [{ id: "c1", pacUrl: "http://wpad.contoso.com/proxy.pac", ...over }] });

describe("what changed before the first failure", () => {
  test("names the new script and what stayed as it was", () => {
    const facts = factsOf(
      ["settings", "settings", settings(), t0 - 5 * hour],
      ["pac", "pac:c1", pacFacts("c1", scripts.old), t0 - 5 * hour],
      ["pac", "pac:c1", pacFacts("c1", scripts.new), t0],
    );
    const diff = settingsDiff({ facts, configuration: "c1", failedAt: t0 + 17 * 60_000, now: t0 + hour });
    expect(diff?.changedAt).toBe(t0);
    expect(diff?.rows.filter((row) => row.changed)).toEqual([
      { label: "Script, sha256", before: "9f3c1e…", after: "41ab07…", changed: true },
    ]);
    expect(diff?.unchanged).toContain("auto-detect off");
  });
  test("shows a changed proxy with its value before and after", () => {
    const facts = factsOf(
      ["settings", "settings", settings(), t0 - hour],
      ["settings", "settings", settings({ server: "px1.contoso.com:8080" }), t0],
    );
    const diff = settingsDiff({ facts, configuration: "c1", failedAt: t0 + 60_000, now: t0 + hour });
    expect(diff?.rows).toContainEqual({
      label: "Manual proxy",
      before: "none",
      after: "px1.contoso.com:8080",
      changed: true,
    });
  });
  test("is nothing when the change came after the failure, or a day before", () => {
    const facts = factsOf(
      ["pac", "pac:c1", pacFacts("c1", scripts.old), t0 - hour],
      ["pac", "pac:c1", pacFacts("c1", scripts.new), t0],
    );
    expect(settingsDiff({ facts, configuration: "c1", failedAt: t0 - 1, now: t0 })).toBeNull();
    expect(settingsDiff({ facts, configuration: "c1", failedAt: t0 + 25 * hour, now: t0 + 26 * hour })).toBeNull();
  });
});

test("all settings are listed with where they were read", () => {
  const groups = settingsTable(factsOf(["settings", "settings", settings(), t0]), "c1");
  expect(groups.map((group) => group.title)).toEqual(["In force", "Machine", "Sources"]);
  expect(groups[0]?.rows).toContainEqual({ label: "Auto-detect", value: "off" });
});

test("the verdict sentence marks its cause and quiets who can fix it", () => {
  const sentence =
    "Credential prompts expected: px1.contoso.com:8080 asks for its own login (407, basic) before Exchange is reached. Direct, Exchange answers. Fix on the proxy, not on this machine.";
  expect(sentenceRuns(sentence, "px1.contoso.com:8080 asks for its own login")).toEqual([
    { text: "Credential prompts expected: ", tone: "plain" },
    { text: "px1.contoso.com:8080 asks for its own login", tone: "bad" },
    { text: " (407, basic) before Exchange is reached. Direct, Exchange answers.", tone: "plain" },
    { text: " Fix on the proxy, not on this machine.", tone: "quiet" },
  ]);
});

describe("target strips", () => {
  const range = { from: t0, to: t0 + 6 * hour };
  const context = { now: range.to, zone: "UTC", seenAt: null };

  test("are cut to the range and say how long it failed", () => {
    const strip = stripOf(
      "EWS",
      [
        { from: t0 - hour, to: t0 + 3 * hour, verdict: "exchange-onprem", ok: true },
        { from: t0 + 3 * hour, to: null, verdict: "proxy-auth-required", ok: false },
      ],
      range,
      context,
    );
    expect(strip.segments.map((s) => [s.from, s.to, s.state])).toEqual([
      [0, 0.5, "ok"],
      [0.5, 1, "bad"],
    ]);
    expect(strip.sentence).toBe("proxy-auth-required now, after 1 change; failing 3 h");
  });
  test("end in stale where the machine fell silent, and are empty where nothing was observed", () => {
    const spans = [{ from: t0, to: null, verdict: "exchange-onprem", ok: true }];
    const silent = stripOf("EWS", spans, range, { ...context, seenAt: t0 + 3 * hour });
    expect(silent.segments.map((s) => s.state)).toEqual(["ok", "stale"]);
    expect(stripOf("EWS", [], range, context)).toMatchObject({ segments: [], sentence: "not observed" });
  });
  test("have ticks at full hours", () => {
    expect(timeTicks(range, "UTC").map((tick) => tick.label)).toEqual([
      "03:00",
      "04:00",
      "05:00",
      "06:00",
      "07:00",
      "08:00",
    ]);
  });
});

test("a probe that was asked for says how far it is, and why it was not made", () => {
  expect(progressText(null)).toBeNull();
  expect(progressText({ state: "progress", done: 3, total: 12, reason: null })).toBe("Probing, 3 of 12");
  expect(progressText({ state: "refused", done: 0, total: 0, reason: "rate" })).toBe("Not probed: rate");
});

describe("the filter field", () => {
  test("completes fields first, then the values of the field", () => {
    expect(completionOf("sta")).toMatchObject({ kind: "field", options: [{ value: "status:" }] });
    expect(completionOf("-sta")).toMatchObject({ options: [{ value: "-status:" }] });
    expect(completionOf("status:failing,ca")).toEqual({
      kind: "value",
      field: "status",
      prefix: "ca",
      head: "status:failing,",
    });
  });
  test("splits a filter into its terms, quotes kept whole", () => {
    expect(splitTerms('status:failing site:"New York" -tag:lab')).toEqual([
      "status:failing",
      'site:"New York"',
      "-tag:lab",
    ]);
    expect(tokenParts("-tag:lab")).toEqual({ negated: true, field: "-tag:", value: "lab" });
  });
  test("links quote what has to be quoted", () => {
    expect(term("site", "New York")).toBe('site:"New York"');
    expect(term("site", "none")).toBe('site:"none"');
    expect(machinesHref("status:failing", null)).toBe("/machines?q=status%3Afailing");
  });
});

test("a row shows hostile names as text, cut in the middle, and unknown where nothing was seen", () => {
  const row: MachineRow = {
    id: "a",
    hostname: "<b>KIOSK\u202E-FRONTDESK-EAST-01",
    status: "cannot-tell",
    atRisk: false,
    since: "2026-11-24T02:12:00.000Z",
    primary: null,
    patterns: [],
    site: null,
    location: "unknown",
    route: null,
    verdictConfigured: null,
    verdictDirect: null,
    chainConfigured: null,
    chainDirect: null,
    pacHash: null,
    os: "windows",
    osVersion: "Windows 11 24H2",
    agentVersion: "",
    lastSeenAt: null,
    connected: false,
    approved: true,
    cloned: false,
    simulated: false,
    tags: [],
  };
  const view = rowView(row, { now: t0 + hour, zone: "UTC" });
  expect(view.fullName).toBe("<b>KIOSK⟨U+202E⟩-FRONTDESK-EAST-01");
  expect(view.name).toHaveLength(17);
  expect(view).toMatchObject({
    route: "unknown",
    verdict: "unknown",
    agent: "unknown",
    seen: "never",
    system: "Win 11 24H2",
    since: "02:12",
  });
});

test("every view counts what its query asks for", () => {
  const all = views({ healthy: 10, failing: 2, stale: 3, cannotTell: 1, signedOff: 4, atRisk: 5 });
  expect(all.map((view) => [view.title, view.machines])).toEqual([
    ["All", 20],
    ["Not working now", 3],
    ["At risk", 5],
    ["Not seen", 3],
    ["Signed off", 4],
  ]);
});
