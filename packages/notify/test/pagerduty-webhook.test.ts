import { createHmac } from "node:crypto";
import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { maxWebhookBytes, parsePagerDutyEvent, verifyPagerDutySignature } from "../src/pagerduty-webhook.ts";

/** An event as PagerDuty documents it, of an incident whose key is our thread. */
const event = (more: object = {}) => ({
  event: {
    id: "01DEN4HPBQAAAG05V5QQYBRZMF",
    event_type: "incident.acknowledged",
    resource_type: "incident",
    occurred_at: "2026-11-24T02:44:10.123Z",
    agent: {
      html_url: "https://contoso.pagerduty.com/users/PLH1HKV",
      id: "PLH1HKV",
      self: "https://api.pagerduty.com/users/PLH1HKV",
      summary: "M. Huber",
      type: "user_reference",
    },
    client: null,
    data: {
      id: "PGR0VU2",
      type: "incident",
      self: "https://api.pagerduty.com/incidents/PGR0VU2",
      html_url: "https://contoso.pagerduty.com/incidents/PGR0VU2",
      number: 42,
      status: "acknowledged",
      incident_key: "incident-1182-on-call",
      created_at: "2026-11-24T02:41:31Z",
      title: "347 machines: px1.contoso.com asks for its own login",
      urgency: "high",
      resolve_reason: null,
    },
    ...more,
  },
});
const bytes = (value: unknown) => Buffer.from(JSON.stringify(value));

describe("an event of PagerDuty", () => {
  test("says which of our threads was acknowledged, by whom and when", () => {
    expect(parsePagerDutyEvent(bytes(event()))).toEqual({
      kind: "acknowledged",
      id: "01DEN4HPBQAAAG05V5QQYBRZMF",
      at: Date.parse("2026-11-24T02:44:10.123Z"),
      thread: "incident-1182-on-call",
      by: "M. Huber",
    });
  });

  test.each([
    ["incident.unacknowledged", "unacknowledged"],
    ["incident.resolved", "resolved"],
    ["incident.reopened", "reopened"],
    ["incident.triggered", "other"],
    ["incident.a_type_of_next_year", "other"],
    ["constructor", "other"],
  ])("%s is %s", (event_type, kind) => {
    expect(parsePagerDutyEvent(bytes(event({ event_type })))).toMatchObject({ kind });
  });

  test("of a new subscription is a ping, which is nothing to act on", () => {
    const ping = event({
      event_type: "pagey.ping",
      agent: null,
      data: { message: "Hello from your friend Pagey!", type: "ping" },
    });
    expect(parsePagerDutyEvent(bytes(ping))).toMatchObject({ kind: "other", type: "pagey.ping" });
  });

  test("by PagerDuty itself names nobody", () => {
    expect(parsePagerDutyEvent(bytes(event({ agent: null })))).toMatchObject({ by: null });
  });

  test("shows a hostile name harmless", () => {
    expect(parsePagerDutyEvent(bytes(event({ agent: { summary: "a\u202Eb\n" } })))).toMatchObject({
      by: "a⟨U+202E⟩b⟨U+000A⟩",
    });
  });

  test.each([
    ["", "nothing"],
    ["{", "half of JSON"],
    ["null", "null"],
    ["[]", "a list"],
    ['{"event":{}}', "an empty event"],
    [JSON.stringify(event({ occurred_at: "yesterday" })), "an unknown time"],
    [JSON.stringify(event({ data: null })), "no data"],
    [Buffer.from([0x7b, 0xff, 0x7d]), "not UTF-8"],
    [`${JSON.stringify(event())}${" ".repeat(maxWebhookBytes)}`, "too large"],
  ])("is not %j (%s)", (text, _what) => {
    expect(parsePagerDutyEvent(Buffer.from(text))).toBeNull();
  });

  test("is told from any JSON without a throw", () => {
    fc.assert(fc.property(fc.json(), (text) => void parsePagerDutyEvent(Buffer.from(text))));
  });
});

describe("the signature of PagerDuty", () => {
  const body = bytes(event());
  const secret = "q6TkEAvwZ1e2eVQ4lSOxtXbhXW1k9uHg";
  const sign = (with_: string, of: Uint8Array = body) => `v1=${createHmac("sha256", with_).update(of).digest("hex")}`;

  // Made with: printf '{"event":{"id":"x"}}' | openssl dgst -sha256 -hmac pagey
  test("is the hex HMAC-SHA256 of the bytes", () => {
    const known = "v1=907cd8f6c30bcbcf34136ba74c0469f6d6ac7b11f9d5e7e5ac54310b154692ee";
    expect(verifyPagerDutySignature(Buffer.from('{"event":{"id":"x"}}'), known, ["pagey"])).toBe(true);
  });
  test("holds for the secret of the subscription", () => {
    expect(verifyPagerDutySignature(body, sign(secret), [secret])).toBe(true);
  });
  test("holds while a secret is changed, on either side", () => {
    expect(verifyPagerDutySignature(body, `${sign("old")},${sign(secret)}`, [secret])).toBe(true);
    expect(verifyPagerDutySignature(body, `${sign("old")}, ${sign(secret)}`, [secret])).toBe(true);
    expect(verifyPagerDutySignature(body, sign("old"), [secret, "old"])).toBe(true);
  });
  test.each([
    ["another secret", sign("other")],
    ["no signature", undefined],
    ["an empty one", ""],
    ["an unknown version alone", sign(secret).replace("v1=", "v2=")],
    ["a shortened one", sign(secret).slice(0, -2)],
    ["one without its version", sign(secret).slice(3)],
    ["one of other bytes", sign(secret, Buffer.from("{}"))],
  ])("does not hold with %s", (_what, header) => {
    expect(verifyPagerDutySignature(body, header, [secret])).toBe(false);
  });
  test("does not hold where no secret is set", () => {
    expect(verifyPagerDutySignature(body, sign(""), [""])).toBe(false);
    expect(verifyPagerDutySignature(body, sign(""), [])).toBe(false);
  });
});
