import { describe, expect, test } from "vitest";
import * as z from "zod";
import { receiverSecrets, secretIssues } from "../src/receiver-secrets.ts";
import { receiverSchema, receiverTypes } from "../src/receivers.ts";

const least = {
  pagerduty: {},
  alertmanager: { servers: ["https://am1.contoso.com"] },
  webhook: { url: "https://hooks.contoso.com/lynceus?key={token}" },
  email: { host: "smtp.contoso.com", from: "lynceus@contoso.com", to: ["oncall@contoso.com"] },
  slack: {},
  teams: {},
  ntfy: {},
} as const;

const of = (type: keyof typeof least, settings: object = {}, more: object = {}) => ({
  type,
  id: "on-call",
  name: "On call",
  settings: { ...least[type], ...settings },
  ...more,
});

const complaint = (input: unknown) => {
  const { error } = receiverSchema.safeParse(input);
  return error ? z.prettifyError(error) : "";
};

describe("a receiver", () => {
  test.each(receiverTypes)("of type %s needs little more than its address", (type) => {
    const parsed = receiverSchema.parse(of(type));
    expect(parsed).toMatchObject({ zone: "UTC", settings: { connection: { reach: "public", ca: null } } });
    expect(receiverSchema.parse(parsed)).toEqual(parsed);
  });

  test("may leave its settings out where each has a default", () => {
    expect(receiverSchema.parse({ type: "pagerduty", id: "pd", name: "PagerDuty" })).toMatchObject({
      capPerHour: 20,
      settings: { server: "https://events.pagerduty.com" },
    });
  });

  test.each([
    [{ id: "On Call" }, /lower-case letters, digits and hyphens; use e\.g\. proxy-team-mail/],
    [{ id: "" }, /lower-case/],
    [{ name: " " }, /at name/],
    [{ name: "a\nBcc: x" }, /no control characters/],
    [{ zone: "Berlin" }, /not a time zone; use e\.g\. Europe\/Berlin/],
    [{ capPerHour: 0 }, /at capPerHour/],
    [{ capPerHours: 5 }, /capPerHours/],
  ])("with %j is refused with the rule", (more, rule) => {
    expect(complaint(of("slack", {}, more))).toMatch(rule);
  });

  test.each([
    "ftp://am.contoso.com",
    "am.contoso.com:9093",
    "https://user:pw@am.contoso.com",
    "https://am.contoso.com/?x=1",
    "https://am.contoso.com/#x",
    "https://",
    "https://a\u0000b.com",
  ])("is not told at %j", (address) => {
    expect(complaint(of("alertmanager", { servers: [address] }))).toMatch(
      /is not the address of a server: http or https.*use e\.g\. http:\/\/alertmanager\.contoso\.com:9093/,
    );
  });

  test("does not repeat a login or a query in its complaint", () => {
    const said = complaint(of("alertmanager", { servers: ["https://user:hunter2@am.contoso.com/?k=hunter2"] }));
    expect(said).toContain('"https://…@am.contoso.com/?…"');
    expect(said).not.toContain("hunter2");
  });

  test.each([
    of("alertmanager", { servers: ["https://a.contoso.com", "http://b.contoso.com"] }),
    of("webhook", { url: "http://hooks.contoso.com/x" }),
    of("ntfy", { server: "http://ntfy.contoso.com" }),
    of("email", { security: "none" }),
  ])("is not told in the clear on the internet, but inside it may be: $type", (receiver) => {
    expect(complaint(receiver)).toMatch(/refused on the internet.*connection\.reach to "private"/);
    const inside = { ...receiver, settings: { ...receiver.settings, connection: { reach: "private" } } };
    expect(complaint(inside)).toBe("");
  });

  test("of mail sends no login without TLS", () => {
    const settings = { security: "none", username: "lynceus", connection: { reach: "private" } };
    expect(complaint(of("email", settings))).toMatch(/a login is never sent without TLS/);
  });

  test.each([
    ["to", ["a@b.com\r\nBcc: c@d.com"]],
    ["to", ["Ada <a@b.com>"]],
    ["from", "a@b.com, c@d.com"],
    ["from", "a@@b.com"],
    ["to", ["ада@contoso.com"]],
  ])("of mail takes plain addresses alone: %s %j", (name, value) => {
    expect(complaint(of("email", { [name]: value }))).toMatch(/not a mail address; use e\.g\. oncall@contoso\.com/);
  });

  test("has its token anywhere in a webhook's address but in the host", () => {
    expect(complaint(of("webhook", { url: "https://hooks.contoso.com/{token}/x?k={token}" }))).toBe("");
    expect(complaint(of("webhook", { url: "https://{token}.contoso.com/" }))).toMatch(/\{token\} only behind the host/);
    expect(complaint(of("webhook", { url: "https://hooks.contoso.com:{token}/" }))).toMatch(/only behind the host/);
  });

  test("is reached through a proxy that is host and port alone", () => {
    expect(complaint(of("slack", { connection: { proxy: "http://px1.contoso.com:8080" } }))).toBe("");
    expect(complaint(of("slack", { connection: { proxy: "http://u:p@px1.contoso.com:8080" } }))).toMatch(
      /use e\.g\. http:\/\/px1\.contoso\.com:8080/,
    );
  });

  test("trusts certificates, and is never given a key", () => {
    const pem = (label: string) => `-----BEGIN ${label}-----\nAA==\n-----END ${label}-----\n`;
    expect(complaint(of("teams", { connection: { ca: pem("CERTIFICATE") } }))).toBe("");
    const both = pem("CERTIFICATE") + pem("PRIVATE KEY");
    expect(complaint(of("teams", { connection: { ca: both } }))).toMatch(/not certificates in PEM/);
  });

  test("of Alertmanager keeps the labels by which Lynceus knows an alert", () => {
    expect(complaint(of("alertmanager", { labels: { team: "messaging" } }))).toBe("");
    expect(complaint(of("alertmanager", { labels: { alertname: "x" } }))).toMatch(/set by Lynceus/);
    expect(complaint(of("alertmanager", { labels: { "team-x": "y" } }))).toMatch(/use e\.g\. team/);
  });
});

describe("the secrets of a receiver", () => {
  const receiver = (type: keyof typeof least, settings: object = {}) => receiverSchema.parse(of(type, settings));

  test("are never a part of its settings", () => {
    for (const type of receiverTypes)
      for (const name of Object.keys(receiverSecrets[type]))
        expect(complaint(of(type, { [name]: "x" })), `${type}.${name}`).not.toBe("");
  });

  test.each([
    ["pagerduty", { routingKey: "a1".repeat(16) }],
    ["alertmanager", {}],
    ["webhook", { signingSecret: `whsec_${"A".repeat(43)}=`, token: "abc" }],
    ["email", {}],
    ["slack", { url: "https://hooks.slack.com/services/T0/B0/x" }],
    ["teams", { url: "https://prod.contoso.logic.azure.com/workflows/1/triggers/manual/paths/invoke?sig=x" }],
    ["ntfy", { topic: "lynceus-oncall" }],
  ] as const)("of type %s suffice", (type, secrets) => {
    expect(secretIssues(receiver(type), secrets)).toEqual([]);
  });

  test("that are missing are named with the rule", () => {
    expect(secretIssues(receiver("slack"), {})).toEqual([
      { name: "url", message: expect.stringMatching(/^Webhook URL is missing: the whole address, such as https:/) },
    ]);
    expect(secretIssues(receiver("email", { username: "lynceus" }), {})).toMatchObject([{ name: "password" }]);
    expect(secretIssues(receiver("webhook"), { signingSecret: `whsec_${"A".repeat(32)}` })).toMatchObject([
      { name: "token" },
    ]);
  });

  test("that are unknown or wrong are refused without their value", () => {
    const issues = secretIssues(receiver("pagerduty"), { routingKey: "hunter2", key: "hunter2" });
    expect(issues.map(({ name }) => name)).toEqual(["key", "routingKey"]);
    expect(JSON.stringify(issues)).not.toContain("hunter2");
  });

  test.each([
    "http://hooks.slack.com/services/x",
    "https://u:p@hooks.slack.com/x",
    "https://hooks.slack.com/x\r\nHost: y",
    "https://hooks.slack.com/#x",
  ])("hold no address like %j", (url) => {
    expect(secretIssues(receiver("slack"), { url })).toHaveLength(1);
  });

  test("can break no header", () => {
    const signingSecret = `whsec_${"A".repeat(32)}`;
    const issues = secretIssues(receiver("webhook"), {
      signingSecret,
      token: "a/b",
      authorization: "Bearer x\r\nX: y",
    });
    expect(issues.map(({ name }) => name)).toEqual(["token", "authorization"]);
  });
});
