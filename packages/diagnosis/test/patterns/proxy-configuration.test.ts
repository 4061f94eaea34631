import { describe, expect, it } from "vitest";
import { emptyFleet } from "../../src/fleet.ts";
import { type Cycle, diagnosisOf, nothingDetected, patternsOf, primaryOf, script } from "../support/machine.ts";
import {
  direct,
  exchangeAnswer,
  policy,
  serviceUnavailable,
  tcpRefused,
  tcpTimeout,
  through,
  tunnelled,
} from "../support/probes.ts";

/** EWS times out, and so does the control: a network that lets nothing out directly. */
const closedNetwork = (over: Cycle = {}): Cycle => ({
  ...over,
  configured: {
    ews: tcpTimeout(),
    "autodiscover-example.org": tcpTimeout(),
    control: tcpTimeout(),
    "control-https": tcpTimeout(),
    ...over.configured,
  },
});
const needsProxy = policy({ requiresProxy: true });
const peersThroughProxy = { ...emptyFleet, site: { judged: 10, ok: 9, bad: 1, okThroughProxy: 9 } };

describe("autodetect-off", () => {
  it("is found where the policy says that the network requires a proxy", () => {
    const diagnosis = diagnosisOf(closedNetwork(), { policy: needsProxy });
    expect(primaryOf(diagnosis)).toMatchObject({
      pattern: "autodetect-off",
      severity: "prompting",
      confidence: "high",
      explains: true,
    });
    expect(diagnosis.status).toBe("failing");
    expect(diagnosis.sentence).toContain("no detection, script or proxy is set");
  });

  it("is found where peers of the site reach Exchange through a proxy", () => {
    expect(primaryOf(diagnosisOf(closedNetwork(), { fleet: peersThroughProxy }))?.pattern).toBe("autodetect-off");
  });

  it("is not claimed without contrast: a dead network looks just so", () => {
    const diagnosis = diagnosisOf(closedNetwork());
    expect(patternsOf(diagnosis)).toEqual([]);
    expect(diagnosis.status).toBe("cannot-tell");
  });

  it("is not found where Exchange answers directly, as on most networks", () => {
    const diagnosis = diagnosisOf({}, { policy: needsProxy });
    expect(diagnosis).toMatchObject({ status: "healthy", findings: [], atRisk: false });
  });

  it("is not found where detection is on, or a proxy or script is set", () => {
    for (const settings of [[{ autoDetect: true }], [{ server: "px1:8080" }], [{ pacUrl: "http://pac.example.org/p" }]])
      expect(patternsOf(diagnosisOf(closedNetwork({ settings }), { policy: needsProxy }))).not.toContain(
        "autodetect-off",
      );
  });

  it("is not found on a machine outside, nor by peers that go direct", () => {
    expect(patternsOf(diagnosisOf(closedNetwork({ location: "outside" }), { policy: needsProxy }))).toEqual([]);
    const directPeers = { ...emptyFleet, site: { judged: 10, ok: 9, bad: 1, okThroughProxy: 0 } };
    expect(patternsOf(diagnosisOf(closedNetwork(), { fleet: directPeers }))).toEqual([]);
  });
});

describe("wpad-missing", () => {
  const detecting = closedNetwork({ settings: [{ autoDetect: true }], wpad: nothingDetected });

  it("is found where the network needs a proxy and announces none", () => {
    expect(primaryOf(diagnosisOf(detecting, { policy: needsProxy }))).toMatchObject({
      pattern: "wpad-missing",
      confidence: "medium",
      severity: "prompting",
    });
  });

  it("is not found where Exchange answers: nothing to detect is normal", () => {
    const diagnosis = diagnosisOf({ settings: [{ autoDetect: true }], wpad: nothingDetected }, { policy: needsProxy });
    expect(diagnosis).toMatchObject({ status: "healthy", findings: [] });
  });

  it("is not found where wpad resolves, was not tried, was not observed, or no contrast exists", () => {
    const wpads = [
      { ...nothingDetected, dnsHost: "wpad.example.org" },
      { ...nothingDetected, dhcp252Url: "http://wpad.example.org/wpad.dat" },
      { ...nothingDetected, tried: false },
    ];
    for (const wpad of wpads)
      expect(patternsOf(diagnosisOf({ ...detecting, wpad }, { policy: needsProxy }))).toEqual([]);
    const { wpad: _, ...unobserved } = detecting;
    expect(patternsOf(diagnosisOf(unobserved, { policy: needsProxy }))).toEqual([]);
    expect(patternsOf(diagnosisOf(detecting))).toEqual([]);
  });
});

describe("proxy-http-only", () => {
  const httpOnly = [{ server: "http=px1.example.org:8080" }];

  it("is found where Exchange goes direct and is not reached", () => {
    const diagnosis = diagnosisOf(closedNetwork({ settings: httpOnly }), { policy: needsProxy });
    expect(primaryOf(diagnosis)).toMatchObject({ pattern: "proxy-http-only", severity: "prompting", explains: true });
  });

  it("is at risk where Exchange answers directly, and the machine stays healthy", () => {
    const diagnosis = diagnosisOf({ settings: httpOnly });
    expect(primaryOf(diagnosis)).toMatchObject({ pattern: "proxy-http-only", severity: "at-risk", explains: false });
    expect(diagnosis).toMatchObject({ status: "healthy", atRisk: true });
  });

  it("is not found for a list that covers https, everything or socks, nor behind a script", () => {
    for (const server of ["px1:8080", "http=px1:80;https=px1:80", "http=px1:80 socks=px1:1080", "ftp=px1:21", ""])
      expect(patternsOf(diagnosisOf({ settings: [{ server }] }))).toEqual([]);
    const byScript = { settings: httpOnly, route: { ...direct, by: "pac" as const } };
    expect(patternsOf(diagnosisOf(byScript))).toEqual([]);
  });
});

describe("pac-unreachable", () => {
  const scripted = [{ pacUrl: "http://pac.example.org/proxy.pac" }];
  const dead = script({ fetch: "http-404", sha256: null, evalOk: null });

  it("explains an Exchange that the fallback does not reach", () => {
    const diagnosis = diagnosisOf({ settings: scripted, pac: dead, configured: { ews: tcpTimeout() } });
    expect(primaryOf(diagnosis)).toMatchObject({ pattern: "pac-unreachable", severity: "prompting", explains: true });
  });

  it("only contributes while the fallback works", () => {
    const diagnosis = diagnosisOf({ settings: scripted, pac: dead });
    expect(diagnosis).toMatchObject({ status: "healthy", atRisk: true });
    expect(primaryOf(diagnosis)).toMatchObject({ severity: "will-prompt", explains: false });
  });

  it("does not explain a server that says it is down", () => {
    const diagnosis = diagnosisOf({ settings: scripted, pac: dead, configured: { ews: serviceUnavailable() } });
    expect(patternsOf(diagnosis)).toEqual(["ews-service-down", "pac-unreachable"]);
  });

  it("is not claimed where the script's server asks for a login: that cannot be told", () => {
    for (const fetch of ["http-401", "http-407"] as const) {
      const diagnosis = diagnosisOf({ settings: scripted, pac: script({ fetch, sha256: null, evalOk: null }) });
      expect(diagnosis).toMatchObject({ status: "cannot-tell", findings: [] });
    }
  });

  it("is not found at home, on a dead network, for a script not in force, or when nothing is known", () => {
    expect(patternsOf(diagnosisOf({ settings: scripted, pac: dead, location: "outside" }))).toEqual([]);
    expect(patternsOf(diagnosisOf({ settings: [{}], pac: dead }))).toEqual([]);
    expect(patternsOf(diagnosisOf({ settings: scripted }))).toEqual([]);
    expect(patternsOf(diagnosisOf({ settings: scripted, pac: script() }))).toEqual([]);
  });

  it("is found for every way a download fails, and for no other word", () => {
    for (const fetch of ["dns", "tcp", "tls", "timeout", "too-big", "http-500"] as const)
      expect(patternsOf(diagnosisOf({ settings: scripted, pac: script({ fetch }) }))).toEqual(["pac-unreachable"]);
    for (const fetch of ["ok", "none", "unsupported-scheme", "http-304"] as const)
      expect(patternsOf(diagnosisOf({ settings: scripted, pac: script({ fetch }) }))).toEqual([]);
  });
});

describe("pac-script-error", () => {
  const scripted = [{ pacUrl: "http://pac.example.org/proxy.pac" }];

  it("is found for a script that throws and for a web page", () => {
    for (const pac of [
      script({ evalOk: false, evalError: "ReferenceError: x" }),
      script({ bodyIsHtml: true, evalOk: null }),
    ])
      expect(primaryOf(diagnosisOf({ settings: scripted, pac }))).toMatchObject({
        pattern: "pac-script-error",
        severity: "will-prompt",
      });
    const bad = { settings: scripted, pac: script({ evalOk: false }), configured: { ews: tcpRefused() } };
    expect(primaryOf(diagnosisOf(bad))).toMatchObject({ pattern: "pac-script-error", severity: "prompting" });
  });

  it("is found for the script of automatic detection", () => {
    const pac = script({ origin: "auto-detect", evalOk: false });
    expect(patternsOf(diagnosisOf({ settings: [{ autoDetect: true }], pac }))).toEqual(["pac-script-error"]);
    expect(patternsOf(diagnosisOf({ settings: [{ autoDetect: false }], pac }))).toEqual([]);
  });

  it("is not found for a script that works, was not evaluated, or at home", () => {
    expect(patternsOf(diagnosisOf({ settings: scripted, pac: script() }))).toEqual([]);
    expect(patternsOf(diagnosisOf({ settings: scripted, pac: script({ evalOk: null }) }))).toEqual([]);
    const atHome = { settings: scripted, pac: script({ evalOk: false }), location: "outside" as const };
    expect(patternsOf(diagnosisOf(atHome))).toEqual([]);
  });
});

describe("pac-file-url", () => {
  it("is found for file addresses, drive letters and UNC paths on Windows", () => {
    for (const pacUrl of ["file://server/share/proxy.pac", "C:\\proxy.pac", "\\\\server\\share\\proxy.pac"])
      expect(primaryOf(diagnosisOf({ settings: [{ pacUrl }] }))).toMatchObject({
        pattern: "pac-file-url",
        severity: "will-prompt",
        confidence: "high",
      });
  });

  it("is prompting where Exchange is not reached", () => {
    const cycle = { settings: [{ pacUrl: "file:///c:/p.pac" }], configured: { ews: tcpTimeout() } };
    expect(primaryOf(diagnosisOf(cycle))).toMatchObject({ pattern: "pac-file-url", severity: "prompting" });
  });

  it("is not found for http scripts, nor where file scripts work", () => {
    expect(patternsOf(diagnosisOf({ settings: [{ pacUrl: "http://files.example.org/c:/p.pac" }] }))).toEqual([]);
    expect(patternsOf(diagnosisOf({ settings: [{ pacUrl: "file:///etc/p.pac", dialect: "unix" }] }))).toEqual([]);
  });
});

describe("a healthy proxy-only network", () => {
  it("stays healthy while the direct probe fails by design", () => {
    const px1 = through("px1.example.org:8080");
    const answer = tunnelled(exchangeAnswer());
    const diagnosis = diagnosisOf(
      {
        settings: [{ server: "px1.example.org:8080" }],
        route: px1,
        configured: { ews: answer, "autodiscover-example.org": answer },
        direct: { ews: tcpTimeout(), control: tcpTimeout(), "control-https": tcpTimeout() },
      },
      { policy: needsProxy },
    );
    expect(diagnosis).toMatchObject({ status: "healthy", atRisk: false, findings: [] });
    expect(diagnosis.sentence).toBe(
      "No credential prompts expected: Exchange answers through px1.example.org:8080 (401 from EX03).",
    );
  });
});
