import { describe, expect, it } from "vitest";
import { diagnose } from "../src/diagnose.ts";
import { emptyFleet } from "../src/fleet.ts";
import { emptyState } from "../src/state.ts";
import { cycleMs, diagnosisOf, observe, patternsOf, primaryOf, run, script, start } from "./support/machine.ts";
import {
  answered,
  basicOnlyExchange,
  deadProxy,
  exchangeAnswer,
  policy,
  serviceUnavailable,
  srvRecord,
  tcpTimeout,
  through,
  tunnelled,
  webSite,
  windowsLogin,
} from "./support/probes.ts";

const good = {};
const bad = { configured: { ews: basicOnlyExchange() } };
const held = (cycles: object[], options = {}) =>
  run(cycles, options).diagnoses.map((diagnosis) => patternsOf(diagnosis).includes("ews-basic-only"));

describe("persistence", () => {
  it("raises nothing for one blip", () => {
    expect(held([good, bad, good, good])).toEqual([false, false, false, false]);
  });

  it("raises after two cycles in a row", () => {
    expect(held([good, bad, bad])).toEqual([false, false, true]);
  });

  it("raises after three of five", () => {
    expect(held([bad, good, bad, good, bad].slice(0, 5)).at(-1)).toBe(false);
    // Two changes fewer than "comes and goes": three of five with one gap.
    expect(held([bad, good, good, bad, bad]).at(-1)).toBe(true);
  });

  it("clears after three cycles without it, and keeps its evidence meanwhile", () => {
    const { diagnoses } = run([bad, bad, good, good, good]);
    expect(diagnoses.map((diagnosis) => diagnosis.findings.length)).toEqual([0, 1, 1, 1, 0]);
    expect(diagnoses[3]).toMatchObject({ status: "healthy", atRisk: true });
    expect(diagnoses[3]?.findings[0]).toMatchObject({ explains: false, severity: "prompting" });
    expect(diagnoses[3]?.findings[0]?.evidence[0]?.at).toBe(start + cycleMs);
    expect(diagnoses[3]?.sentence).toContain("No credential prompts expected");
    expect(diagnoses[4]).toMatchObject({ status: "healthy", atRisk: false });
  });

  it("keeps the moment at which it was raised", () => {
    const { diagnoses } = run([bad, bad, bad]);
    expect(diagnoses[2]?.findings[0]?.since).toBe(start + cycleMs + 1000);
  });

  it("is waived for the one-shot", () => {
    expect(held([bad], { waive: true })).toEqual([true]);
  });

  it("counts nothing between two cycles", () => {
    const policyOfTest = policy();
    const state = observe(emptyState(), { settings: [{}], ...bad }, start, policyOfTest);
    const judge = (persistence: object) =>
      diagnose({
        facts: state.facts,
        persistence: persistence as never,
        policy: policyOfTest,
        fleet: emptyFleet,
        now: start,
        newCycle: false,
      });
    const first = judge({});
    expect(judge(first.persistence)).toEqual(first);
    expect(first.diagnosis).toMatchObject({ status: "failing", findings: [] });
    expect(first.diagnosis.sentence).toBe(
      "Credential prompts expected if this lasts: EWS at mail.example.org offers Basic only. Seen in too few cycles to raise a finding.",
    );
  });
});

describe("status", () => {
  it("follows the newest probes at once", () => {
    expect(run([good, bad, good]).diagnoses.map(({ status }) => status)).toEqual(["healthy", "failing", "healthy"]);
  });

  it("is cannot tell where nothing was observed, or EWS not on the configured route", () => {
    const blank = diagnose({
      facts: emptyState().facts,
      persistence: {},
      policy: policy(),
      fleet: emptyFleet,
      now: start,
      newCycle: true,
    });
    expect(blank.diagnosis).toMatchObject({ status: "cannot-tell", findings: [] });
    const onlyDirect = diagnosisOf({ configured: { ews: null }, direct: { ews: exchangeAnswer() } });
    expect(onlyDirect.status).toBe("cannot-tell");
    expect(onlyDirect.sentence).toBe(
      "Cannot tell: Exchange Web Services at mail.example.org: it was not probed on the configured route lately.",
    );
  });

  it("is cannot tell where the control fails too", () => {
    const diagnosis = diagnosisOf({
      configured: {
        ews: tcpTimeout(),
        control: tcpTimeout(),
        "control-https": tcpTimeout(),
        "autodiscover-example.org": tcpTimeout(),
      },
    });
    expect(diagnosis.status).toBe("cannot-tell");
    expect(diagnosis.sentence).toContain("the control target fails too");
  });

  it("is cannot tell where every port is dead, though the resolver still finds records", () => {
    const policyTargets = policy().targets.filter(({ service }) => !service.endsWith("-srv"));
    const dead = Object.fromEntries(policyTargets.map(({ id }) => [id, tcpTimeout()]));
    const diagnosis = diagnosisOf({
      configured: { ...dead, "sip-srv-example.org": srvRecord("sip.example.org", 5061) },
    });
    expect(diagnosis).toMatchObject({ status: "cannot-tell", findings: [] });
  });

  it("is failing where the control works, or the server itself refuses", () => {
    expect(diagnosisOf({ configured: { ews: tcpTimeout() } }).status).toBe("failing");
  });

  it("is cannot tell for an answer that proves nothing", () => {
    for (const ews of [windowsLogin(), answered({ status: 418 })])
      expect(diagnosisOf({ configured: { ews } }).status).toBe("cannot-tell");
  });

  it("takes what the policy accepts for good", () => {
    const accepting = policy();
    accepting.targets[0]!.accept = ["iis-windows-auth"];
    expect(diagnosisOf({ configured: { ews: windowsLogin() } }, { policy: accepting }).status).toBe("healthy");
  });

  it("is failing where another required group is bad", () => {
    const cycle = {
      configured: {
        "autodiscover-example.org": webSite(),
        "apex-example.org": webSite(),
        "autodiscover-srv-example.org": {
          ...webSite(),
          dns: { ok: false, name: "x", rcode: "NXDOMAIN", addresses: [], ms: 1 },
        },
      },
    };
    const diagnosis = diagnosisOf(cycle);
    expect(diagnosis.status).toBe("failing");
    expect(diagnosis.groups).toContainEqual({ id: "autodiscover", required: true, state: "bad" });
    expect(diagnosis.groups).toContainEqual({ id: "ews", required: true, state: "ok" });
  });

  it("is ok for a group when one of its members is", () => {
    const two = policy();
    two.targets.push({ ...two.targets[0]!, id: "ews-2", host: "mail2.example.org" });
    two.groups[0]!.anyOf.push("ews-2");
    const cycle = { configured: { ews: tcpTimeout(), "ews-2": exchangeAnswer() } };
    expect(diagnosisOf(cycle, { policy: two })).toMatchObject({ status: "healthy", findings: [] });
  });

  it("is stale after three intervals of silence", () => {
    const { state } = run([good, good]);
    const at = (now: number) =>
      diagnose({ ...state, policy: policy(), fleet: emptyFleet, now, newCycle: false }).diagnosis.status;
    expect(at(start + cycleMs + 3 * cycleMs)).toBe("healthy");
    expect(at(start + cycleMs + 3 * cycleMs + 1)).toBe("stale");
  });

  it("does not judge by what was seen in another place", () => {
    const { diagnoses } = run([good, { location: "outside", configured: { "autodiscover-example.org": null } }]);
    expect(diagnoses[1]?.status).toBe("cannot-tell");
  });

  it("keeps the last user's settings for a day when nobody is signed in, then cannot tell", () => {
    const alone = { nobodySignedIn: true, settings: [{ users: 0 }] };
    const { diagnoses } = run(Array.from({ length: 98 }, () => alone));
    expect(diagnoses[95]?.status).toBe("healthy");
    expect(diagnoses[97]?.status).toBe("cannot-tell");
  });

  it("is cannot tell where the location is none that a required target is for", () => {
    const inside = policy();
    for (const target of inside.targets) target.locations = ["inside"];
    expect(diagnosisOf({ location: "outside" }, { policy: inside }).sentence).toBe(
      "Cannot tell: no required target is meant for a machine that is outside.",
    );
  });
});

describe("several users", () => {
  const px1 = through("px1.example.org:8080");
  const settings = [
    { id: "c1", users: 38, server: "px1.example.org:8080" },
    { id: "c2", users: 12 },
  ];

  it("lets the worst configuration decide, and says for how many users it holds", () => {
    const dead = deadProxy();
    const targets = { ews: dead, "autodiscover-example.org": dead, control: dead, "control-https": dead };
    const diagnosis = diagnosisOf({
      settings,
      perConfiguration: { c1: { configured: targets, route: px1 }, c2: { configured: {} } },
    });
    expect(diagnosis.status).toBe("failing");
    expect(primaryOf(diagnosis)).toMatchObject({ pattern: "proxy-unreachable", users: 38, configurations: ["c1"] });
    expect(diagnosis.sentence).toContain("Holds for 38 of 50 users.");
  });

  it("is not healthy before each configuration in use was probed", () => {
    expect(diagnosisOf({ settings, perConfiguration: { c2: { configured: {} } } }).status).toBe("cannot-tell");
  });

  it("leaves out configurations that nobody has", () => {
    const unused = [
      { id: "c1", users: 0, server: "px1:8080" },
      { id: "c2", users: 2 },
    ];
    expect(diagnosisOf({ settings: unused, perConfiguration: { c2: { configured: {} } } }).status).toBe("healthy");
  });

  it("gives one finding for a pattern that holds on both", () => {
    const perConfiguration = {
      c1: { configured: { ews: basicOnlyExchange() } },
      c2: { configured: { ews: basicOnlyExchange() } },
    };
    const diagnosis = diagnosisOf({ settings: [{ id: "c1" }, { id: "c2" }], perConfiguration });
    expect(diagnosis.findings).toHaveLength(1);
    expect(diagnosis.findings[0]).toMatchObject({ users: 2, configurations: ["c1", "c2"] });
    expect(diagnosis.sentence).not.toContain("Holds for");
  });
});

describe("precedence on a machine", () => {
  it("shows one primary and at most three others", () => {
    const scripted = [{ pacUrl: "file://x/p.pac", autoDetect: true, server: "http=px1:80" }];
    const cycle = {
      settings: scripted,
      pac: script({ origin: "auto-detect", evalOk: false }),
      configured: {
        ews: { ...exchangeAnswer({ issuerCN: "Zscaler", missingIntermediate: true }), http: serviceUnavailable().http },
        "lync-abs": serviceUnavailable(),
        "autodiscover-example.org": answered({ status: 302, location: "https://mail.example.org/owa/auth/x" }),
        "sip-plain-example.org": tcpTimeout(),
      },
    };
    const diagnosis = diagnosisOf(cycle, { policy: policy({ require5060: true }) });
    expect(diagnosis.findings).toHaveLength(4);
    expect(diagnosis.findings.map(({ primary }) => primary)).toEqual([true, false, false, false]);
    expect(primaryOf(diagnosis)).toMatchObject({ pattern: "ews-service-down", explains: true });
  });

  it("puts the fault nearest to the client first among those that explain", () => {
    const cycle = {
      settings: [{ pacUrl: "http://pac.example.org/p", server: "px1.example.org:8080" }],
      pac: script({ fetch: "timeout", sha256: null, evalOk: null }),
      route: through("px1.example.org:8080"),
      configured: { ews: deadProxy(), "autodiscover-example.org": tunnelled(exchangeAnswer()) },
    };
    expect(patternsOf(diagnosisOf(cycle))).toEqual(["pac-unreachable", "proxy-unreachable"]);
  });
});
