import { describe, expect, test } from "vitest";
import { cut, cutBytes, headlineOf, toMessage, toPlainText } from "../src/message.ts";
import { change, digest, everyKind, incident, opened, resolved, second, undelivered } from "./support/notices.ts";

const zone = "Europe/Berlin";
const linesOf = (notice: typeof opened) =>
  Object.fromEntries(toMessage(notice, { zone }).lines.map(({ label, text }) => [label, text]));

describe("what a message says", () => {
  test("is cause, spread, since when, evidence and the first thing to do, in this order", () => {
    expect(toPlainText(toMessage(opened, { zone }))).toBe(`347 machines: px1.contoso.com asks for its own login
opened: 347 machines in Singapore, Manila and Perth

px1.contoso.com explains 347 of 351 failing machines. 0 of 9,812 healthy share it. 4 do not fit.

Spread: 347 machines, credential prompts expected: 204 of 1,642 in Singapore, 96 of 988 in Manila, 47 of 412 in Perth
Since: 03:12 CET, for 29 min
Evidence: CONNECT to px1.contoso.com:8080: 407, Basic only; direct, 401 from EX03
First thing to do: px1 lets mail.contoso.com through without login, or the script returns DIRECT again.
Who fixes it: the proxy team
Reference: KB 2436962
Pattern: fleet-shared-proxy, prompting, confidence high

Acknowledge: https://lynceus.contoso.com/i/1182?k=signed
Open incident 1182: https://lynceus.contoso.com/incidents/1182`);
  });

  test("of an end is how long it lasted and how far it went, and nothing to do", () => {
    expect(toPlainText(toMessage(resolved, { zone }))).toBe(`Resolved: px1.contoso.com asks for its own login
no machine has failed for 5 min

px1.contoso.com explains 347 of 351 failing machines. 0 of 9,812 healthy share it. 4 do not fit.

Spread: 0 machines now, 347 at most
Lasted: 1 h 28 min, 03:12 CET to 04:41 CET
Acknowledged by: M. Huber
Evidence: CONNECT to px1.contoso.com:8080: 407, Basic only; direct, 401 from EX03
Pattern: fleet-shared-proxy, prompting, confidence high

Open incident 1182: https://lynceus.contoso.com/incidents/1182`);
  });

  test("of a digest is each incident with its page, and how many found no room", () => {
    expect(toPlainText(toMessage(digest, { zone }))).toBe(`2 incidents: 359 machines in Singapore, Manila and Perth
more than 20 notices this hour: the rest in one message

1182: px1.contoso.com asks for its own login, 347 machines
https://lynceus.contoso.com/incidents/1182
1183: mail.contoso.com does not answer on 443, 12 machines
https://lynceus.contoso.com/incidents/1183`);
    expect(toMessage({ ...digest, incidents: Array(30).fill(second) }, { zone, maxOthers: 12 })).toMatchObject({
      others: { length: 12 },
      omitted: 18,
    });
  });

  test("of a change is what changed, where and when", () => {
    expect(linesOf(change)).toEqual({
      Change: "Proxy script 9f3c1e → 41ab07",
      Detail: "http://pac.contoso.com/proxy.pac",
      "Seen on": "347 machines",
      At: "03:12 CET",
    });
  });

  test.each(everyKind)("of kind $kind has a headline and a reason, whatever it is about", (notice) => {
    expect(toPlainText(toMessage(notice, { zone }))).toMatch(/^.+\n.+/);
  });

  test.each([
    ["prompting", "credential prompts expected:"],
    ["will-prompt", "credential prompts expected when Lync next needs Exchange:"],
    ["at-risk", "no credential prompts expected yet:"],
  ] as const)("of severity %s promises no more than %j", (severity, text) => {
    expect(linesOf({ ...opened, incident: { ...incident, severity } })).toMatchObject({
      Spread: expect.stringContaining(text),
    });
  });

  test.each([
    [
      "one machine",
      { machines: 1, peak: 1, sites: [{ site: "Perth", machines: 1, of: 412 }] },
      /^1 machine, .*: 1 of 412 in Perth$/,
    ],
    [
      "fewer than before",
      { machines: 12, peak: 347, sites: [] },
      /^12 machines \(347 at most\), credential prompts expected$/,
    ],
    ["many sites", { sites: Array(9).fill({ site: "X", machines: 2, of: 3 }) }, /, 2 of 3 in X, 5 more sites$/],
    ["five sites", { sites: Array(5).fill({ site: "X", machines: 2, of: 3 }) }, /, 1 more site$/],
  ])("counts %s", (_what, more, text) => {
    expect(linesOf({ ...opened, incident: { ...incident, ...more } })).toMatchObject({
      Spread: expect.stringMatching(text),
    });
  });

  test.each([
    ["2026-11-23T20:10:00Z", "Mon 21:10 CET, for 6 h 31 min"],
    ["2026-11-07T09:00:00Z", "7 Nov 10:00 CET, for 16 d 17 h"],
    ["2026-07-01T09:00:00Z", "1 Jul 11:00 CEST, for 145 d 17 h"],
    // A machine whose clock runs ahead.
    ["2026-11-24T02:50:00Z", "03:50 CET, for 0 s"],
  ])("gives the time %s with its day and zone", (since, text) => {
    expect(linesOf({ ...opened, incident: { ...incident, since } })).toMatchObject({ Since: text });
  });

  test("is the same for each try: its time is the notice's own", () => {
    expect(toMessage(opened, { zone })).toEqual(toMessage(structuredClone(opened), { zone }));
    expect(toMessage(opened, { zone: "Asia/Manila" }).lines).toContainEqual({
      label: "Since",
      text: expect.stringMatching(/^10:12 .*, for 29 min$/),
    });
  });

  test("says first that its machines are simulated, also in a digest", () => {
    const simulated = { ...incident, simulated: true };
    expect(headlineOf(toMessage({ ...opened, incident: simulated }, { zone }))).toBe(
      "Simulated: 347 machines: px1.contoso.com asks for its own login",
    );
    const mixed = toMessage({ ...digest, incidents: [simulated, second] }, { zone });
    expect(mixed.simulated).toBe(false);
    expect(mixed.others.map(({ text }) => text)).toEqual([
      expect.stringMatching(/ \(simulated\)$/),
      expect.not.stringMatching(/simulated/),
    ]);
  });

  test.each([
    [opened, "wake"],
    [{ ...opened, incident: { ...incident, urgency: "low" as const } }, "notice"],
    [digest, "wake"],
    [{ ...digest, incident: null, incidents: [second] }, "notice"],
    [undelivered, "wake"],
    [resolved, "calm"],
    [change, "calm"],
  ])("is as loud as what it is about: %#", (notice, tone) => {
    expect(toMessage(notice, { zone }).tone).toBe(tone);
  });

  test("links to pages alone", () => {
    const url = "javascript:alert(1)";
    const hostile = { ...opened, incident: { ...incident, url }, acknowledgeUrl: "data:text/html,x" };
    expect(toMessage(hostile, { zone })).toMatchObject({ links: [], acknowledge: null });
  });

  test("names no pattern where none is known", () => {
    expect(linesOf({ ...opened, incident: { ...incident, pattern: null } })).toMatchObject({
      Pattern: "none known, prompting, confidence high",
    });
  });
});

describe("a cut", () => {
  test.each([
    ["abc", 3, "abc"],
    ["abcd", 3, "ab…"],
    ["\u{1F441}\u{1F441}", 3, "\u{1F441}…"],
    ["a\u{1F441}b", 3, "a…"],
    ["abc", 1, "…"],
    ["abc", 0, ""],
  ])("of %j to %i units is %j", (text, max, kept) => {
    expect(cut(text, max)).toBe(kept);
  });
  test.each([
    ["äää", 6, "äää"],
    ["ääää", 7, "ää…"],
    ["\u{1F441}\u{1F441}", 7, "\u{1F441}…"],
    ["abc", 2, "…"],
  ])("of %j to %i bytes is %j", (text, max, kept) => {
    expect(cutBytes(text, max)).toBe(kept);
  });
});
