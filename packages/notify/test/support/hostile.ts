import { confidences, patternIds, severities } from "@lynceus/protocol/names";
import type { Notice, NoticeIncident } from "@lynceus/protocol/notice";
import { noticeKinds, urgencies } from "@lynceus/protocol/notice";
import fc from "fast-check";
import { incident, opened } from "./notices.ts";

/** Texts that mean something in one of the formats that we write, or break one that is careless. */
export const attacks = [
  '<script>alert(1)</script><img src=x onerror="alert(2)">',
  "</p></div></body></html><h1>owned</h1>",
  '"><a href="https://evil.example/">click</a>',
  "' onmouseover='alert(1)",
  "<!channel> <!here> <@U024BE7LH> <https://evil.example|Open incident>",
  "*bold* _italic_ ~struck~ `code` ```block```",
  "[Open incident 1182](https://evil.example/) ![x](https://evil.example/x.png)",
  "# Heading\n\n- list\n> quote",
  // biome-ignore lint/suspicious/noTemplateCurlyInString: an expression of Adaptive Cards' templates
  "{{DATE(2017-02-14T06:00:00Z, LONG)}} ${$root.secret} @{triggerBody()}",
  "{{incident.url}} {{acknowledgeUrl}}",
  "a\r\nBcc: mallory@evil.example\r\n\r\nbody",
  "=?utf-8?B?QmNjOiBtYWxsb3J5QGV2aWwuZXhhbXBsZQ==?=",
  "\u202Egpj.exe\u202C\u2066\u200B\uFEFF\u0000\u001B[31m",
  "half \uD800 surrogate",
  "&lt;b&gt; &amp; &#x3c;i&#x3e;",
  "https://evil.example/ www.evil.example mailto:a@evil.example tel:+123",
  ".",
  " ",
  "",
] as const;

const text = fc.oneof(
  { weight: 4, arbitrary: fc.constantFrom<string>(...attacks) },
  { weight: 2, arbitrary: fc.array(fc.constantFrom<string>(...attacks), { maxLength: 6 }).map((all) => all.join(" ")) },
  { weight: 2, arbitrary: fc.string({ unit: "binary", maxLength: 60 }) },
  { weight: 1, arbitrary: fc.integer({ min: 1000, max: 20_000 }).map((length) => "\u{1F441}é".repeat(length / 2)) },
  { weight: 1, arbitrary: fc.string({ unit: "grapheme-ascii" }) },
);
const time = fc
  .integer({ min: Date.UTC(2026, 0, 1), max: Date.UTC(2027, 0, 1) })
  .map((instant) => new Date(instant).toISOString());
const count = fc.nat(100_000);
const url = fc.constantFrom(
  "https://lynceus.contoso.com/incidents/1182",
  "https://lynceus.contoso.com/incidents/1182?q=%22%3E%3Cscript%3E&x='y'",
  "javascript:alert(1)",
);

const hostileIncident: fc.Arbitrary<NoticeIncident> = fc.record({
  number: fc.integer({ min: 1, max: 1_000_000 }),
  title: text,
  sentence: text,
  pattern: fc.option(fc.constantFrom(...patternIds)),
  severity: fc.constantFrom(...severities),
  urgency: fc.constantFrom(...urgencies),
  confidence: fc.constantFrom(...confidences),
  state: fc.constantFrom("open" as const, "acknowledged" as const, "flapping" as const, "resolved" as const),
  since: time,
  resolvedAt: fc.option(time),
  acknowledgedBy: fc.option(text),
  machines: count,
  peak: count,
  sites: fc.array(fc.record({ site: text, machines: count, of: count }), { maxLength: 8 }),
  evidence: text,
  firstStep: text,
  whoFixes: text,
  reference: fc.option(text),
  simulated: fc.boolean(),
  url,
});

/** A notice of any kind with hostile text in every field that holds text. */
export const hostileNotice: fc.Arbitrary<Notice> = fc.record({
  kind: fc.constantFrom(...noticeKinds),
  key: fc.string({ unit: "grapheme", minLength: 1, maxLength: 100 }),
  thread: fc.string({ unit: "grapheme", minLength: 1, maxLength: 100 }),
  at: time,
  // The headline is never empty: a vendor asks for a title, and incidents makes one.
  headline: text.map((said) => said.trim() || "-"),
  reason: text.map((said) => said.trim() || "-"),
  incident: fc.option(hostileIncident),
  incidents: fc.oneof(
    fc.array(hostileIncident, { maxLength: 3 }),
    fc.tuple(hostileIncident, fc.integer({ min: 30, max: 60 })).map(([one, length]) => Array(length).fill(one)),
  ),
  change: fc.option(fc.record({ text, detail: fc.option(text), machines: count, at: time, url })),
  acknowledgeUrl: fc.option(url),
});

/** The notice of the night with one attack in every text. */
export function attackedBy(attack: string): Notice {
  const said = attack === "" ? "-" : attack;
  return {
    ...opened,
    headline: said,
    reason: said,
    incident: {
      ...incident,
      title: said,
      sentence: said,
      sites: [{ site: said, machines: 1, of: 2 }],
      evidence: said,
      firstStep: said,
      whoFixes: said,
      reference: said,
      acknowledgedBy: said,
    },
  };
}
