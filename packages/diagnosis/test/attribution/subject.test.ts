import { describe, expect, it } from "vitest";
import { sharedValues, subjectOf } from "../../src/attribution/subject.ts";
import { none } from "../../src/attribution/types.ts";
import { columnView } from "../../src/columns.ts";
import { isPublicAddress, networkOf } from "../../src/network.ts";
import { emptyState } from "../../src/state.ts";
import { cycleMs, run, script, start } from "../support/machine.ts";
import {
  answered,
  deadProxy,
  direct,
  exchangeAnswer,
  policy,
  proxyLogin,
  tcpTimeout,
  through,
} from "../support/probes.ts";

const rules = policy();
const context = { id: "m1", site: "Bern", policyVersion: 3, wave: none };
const subject = (cycles: Parameters<typeof run>[0]) => subjectOf(run(cycles, { policy: rules }).state, rules, context);

describe("a machine, as attribution sees it", () => {
  it("is healthy with what its facts show, and what was looked for and is not there", () => {
    expect(subject([{ route: direct }])).toEqual({
      id: "m1",
      location: "inside",
      failing: false,
      failingSince: null,
      values: {
        "pac-hash": none,
        "pac-url": none,
        proxy: none,
        "back-end": "EX03",
        address: "10.1.20.15",
        "tls-spki": "aa".repeat(32),
        "tls-issuer": "Contoso Issuing CA 2",
        resolver: null,
        subnet: null,
        site: "Bern",
        "policy-version": "3",
        "agent-version": null,
        "os-build": null,
        "route-kind": "direct",
        "settings-wave": none,
      },
    });
  });

  it("fails since its verdict turned, behind its proxy and with its script", () => {
    const route = through("px1.example.org:8080");
    const pac = script();
    const settings = [{ pacUrl: pac.url }];
    const good = { settings, pac, route };
    const bad = { ...good, configured: { ews: deadProxy() } };
    expect(subject([good, bad, bad])).toMatchObject({
      failing: true,
      failingSince: start + cycleMs,
      values: {
        proxy: "px1.example.org:8080",
        "pac-hash": pac.sha256,
        "pac-url": pac.url,
        address: null,
        "route-kind": "proxy",
      },
    });
  });

  it("counts on no side where its proxy asks for a login that its users may pass silently", () => {
    const route = through("px1.example.org:8080");
    expect(subject([{ route, configured: { ews: proxyLogin("Negotiate") } }]).failing).toBeNull();
    expect(subject([{ route, configured: { ews: proxyLogin("Basic") } }]).failing).toBe(true);
  });

  it("keeps the server that answered last, where the failing one gives no name", () => {
    const dead = { configured: { ews: tcpTimeout() } };
    expect(subject([{}, dead]).values["back-end"]).toBe("EX03");
    expect(subject([dead]).values["back-end"]).toBeNull();
    const moved = answered({ status: 503, headers: { "x-feserver": "EX04" } });
    expect(
      subject([{ configured: { ews: exchangeAnswer() } }, { configured: { ews: moved } }]).values["back-end"],
    ).toBe("EX04");
  });

  it("knows nothing of a machine without facts, and says so", () => {
    const state = emptyState();
    expect(subjectOf(state, rules, { ...context, site: null, policyVersion: null, wave: null })).toMatchObject({
      failing: null,
      location: "unknown",
    });
    const { values, dnsAnswer, configuration } = sharedValues(state, columnView(state, rules));
    expect(Object.values(values).every((value) => value === null)).toBe(true);
    expect([dnsAnswer, configuration]).toEqual([null, null]);
  });

  it("names the network of its address", () => {
    expect(networkOf("10.40.12.7")).toBe("10.40.12.0/24");
    expect(networkOf("2001:db8:0:1::7")).toBe("2001:db8:0:1::/64");
    expect(networkOf("no address")).toBeNull();
  });

  it("knows which addresses the internet may reach", () => {
    expect(["52.96.0.1", "2603:1026::1", "172.32.0.1"].map(isPublicAddress)).toEqual([true, true, true]);
    expect(["10.1.20.15", "172.31.0.1", "100.64.0.1", "fd00::1", "mail"].map(isPublicAddress)).toEqual(
      new Array(5).fill(false),
    );
  });
});
