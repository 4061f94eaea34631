import { buildPolicy } from "@lynceus/protocol/presets";
import { createElement } from "react";
import { renderToStaticMarkup } from "react-dom/server";
import { describe, expect, test } from "vitest";
import { EvidenceChain } from "../src/components/evidence-chain/evidence-chain.tsx";
import { firstDifference, type Lane, type LaneStep, type StepState } from "../src/components/evidence-chain/lane.ts";
import { MiniChain, miniChainLabel } from "../src/components/evidence-chain/mini-chain.tsx";
import { lanesOf } from "../src/components/machine/lanes.ts";
import { direct, domain, ewsHost, proxied } from "./support/facts.ts";
import { machineOf } from "./support/machine.ts";

const policy = buildPolicy({ ews: [ewsHost], smtpDomains: [domain], sipDomains: [domain] }, 1);
const now = Date.UTC(2026, 10, 24, 3, 14);

function lane(id: Lane["id"], states: string): Lane {
  const words: Record<string, StepState> = {
    o: "ok",
    s: "slow",
    f: "failed",
    e: "failed-expected",
    n: "not-reached",
    x: "not-applicable",
  };
  const columns = ["route", "dns", "tcp", "connect", "tls", "http", "auth"] as const;
  return {
    id,
    title: id,
    subtitles: [],
    steps: [...`o${states}`].map(
      (letter, i): LaneStep => ({
        column: columns[i] as LaneStep["column"],
        state: words[letter] as StepState,
        value: letter,
        details: [],
        ms: null,
        hint: null,
      }),
    ),
    answer: { mark: "healthy", text: "Exchange answers", details: [] },
  };
}

describe("the first difference between the lanes", () => {
  test("is where the wall stands, also where the other lane has no such step", () => {
    expect(firstDifference([lane("configured", "oofnnn"), lane("direct", "ooxooo")])).toBe("connect");
    expect(firstDifference([lane("configured", "ooofnn"), lane("direct", "ooxooo")])).toBe("tls");
  });
  test("is nowhere when the lanes agree", () => {
    expect(firstDifference([lane("configured", "ooxooo"), lane("direct", "ooxooo")])).toBeNull();
    expect(firstDifference([lane("configured", "fnxnnn"), lane("direct", "fnxnnn")])).toBeNull();
  });
  test("is nowhere when direct is expected to fail, or a lane is missing", () => {
    expect(firstDifference([lane("configured", "oooooo"), lane("direct", "oexnnn")])).toBeNull();
    expect(firstDifference([lane("configured", "oofnnn")])).toBeNull();
  });
  test("is no slow step", () => {
    expect(firstDifference([lane("configured", "ooosoo"), lane("direct", "ooxooo")])).toBeNull();
  });
});

describe("the chain as drawn", () => {
  const draw = (lanes: Lane[]) =>
    renderToStaticMarkup(createElement(EvidenceChain, { subtitle: "EWS", lanes, notes: [] }));

  test("has one ordered list a lane and all seven steps in it, in one order", () => {
    const html = draw([lane("configured", "oofnnn"), lane("direct", "ooxooo")]);
    expect(html.match(/<ol/g)).toHaveLength(2);
    const steps = [...html.matchAll(/data-step="([a-z]+)"/g)].map((match) => match[1]);
    expect(steps).toEqual([..."12"].flatMap(() => ["route", "dns", "tcp", "connect", "tls", "http", "auth"]));
  });
  test("tints the first difference once and says it to who does not see it", () => {
    const html = draw([lane("configured", "oofnnn"), lane("direct", "ooxooo")]);
    expect(html.match(/data-first-difference="connect"/g)).toHaveLength(1);
    expect(html).toContain("CONNECT: failed, f, first difference");
  });
  test("shows hostile text as text, its invisible characters made visible", () => {
    const hostile = lane("configured", "oofnnn");
    (hostile.steps[3] as LaneStep).value = "<b>407\u202E";
    const html = draw([hostile]);
    expect(html).toContain("&lt;b&gt;407⟨U+202E⟩");
    expect(html).not.toContain("<b>407");
  });
});

describe("lanes of a machine", () => {
  test("a proxy that wants a login is a wall at CONNECT; direct answers", () => {
    const facts = machineOf(policy, now, (via) =>
      via === "configured" ? { route: proxied("px1.contoso.com"), connect: 407 } : { route: direct() },
    );
    const lanes = lanesOf("ews", { facts, policy, configuration: "c1", status: "failing", now, zone: "UTC" });
    expect(lanes.map((l) => l.id)).toEqual(["configured", "direct"]);
    const connect = lanes[0]?.steps.find((step) => step.column === "connect");
    expect(connect).toMatchObject({ state: "failed", value: "407 Login required" });
    expect(connect?.details).toEqual(["proxy offers Basic", 'realm "px1"']);
    expect(lanes[0]?.answer.mark).toBe("failing");
    expect(lanes[1]?.answer).toMatchObject({ mark: "healthy", text: "Exchange answers" });
    expect(firstDifference(lanes)).toBe("connect");
  });
  test("direct that is closed while the proxy works is grey, closed by design, and no difference", () => {
    const facts = machineOf(policy, now, (via) =>
      via === "configured" ? { route: proxied("px2.contoso.com") } : { route: direct(), tcp: "timeout" },
    );
    const lanes = lanesOf("ews", { facts, policy, configuration: "c1", status: "healthy", now, zone: "UTC" });
    expect(lanes[1]?.steps.find((step) => step.column === "tcp")?.state).toBe("failed-expected");
    expect(lanes[1]?.answer).toMatchObject({ mark: "off", text: "Closed by design" });
    expect(firstDifference(lanes)).toBeNull();
  });
  test("the control is the third lane when it fails as well, and the machine cannot be told", () => {
    const facts = machineOf(policy, now, () => ({ route: direct(), dns: "timeout" }));
    const lanes = lanesOf("ews", { facts, policy, configuration: "c1", status: "cannot-tell", now, zone: "UTC" });
    expect(lanes.map((l) => l.id)).toEqual(["configured", "control"]);
    expect(lanes[0]?.answer.mark).toBe("cannot-tell");
  });
});

describe("the mini chain", () => {
  test("says its six steps in words", () => {
    expect(miniChainLabel("oofnnn")).toBe(
      "DNS ok, TCP ok, CONNECT failed, TLS not reached, HTTP not reached, auth not reached",
    );
    expect(renderToStaticMarkup(createElement(MiniChain, { letters: "ooxooo" }))).toContain(
      'aria-label="DNS ok, TCP ok, CONNECT not',
    );
  });
  test("writes unknown for what is no chain", () => {
    expect(renderToStaticMarkup(createElement(MiniChain, { letters: null }))).toContain("unknown");
    expect(miniChainLabel("oofnn?")).toBeNull();
  });
});
