import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { noticeSchema } from "../src/notice.ts";
import { renderTemplate, templateIssue, templatePaths } from "../src/notice-template.ts";
import { fixture } from "./fixtures.ts";

const notice = noticeSchema.parse(fixture("notice"));

describe("a template", () => {
  test("puts a field's own value where it stands alone, and its text within a sentence", () => {
    const template = {
      title: "{{ headline }}",
      count: "{{incident.machines}}",
      sites: "{{incident.sites}}",
      acknowledged: "{{incident.acknowledgedBy}}",
      text: "{{incident.number}}: {{incident.machines}} machines, {{incident.acknowledgedBy}}.",
      fixed: [1, true, null, { "{{kind}}": "as it is" }],
    };
    expect(renderTemplate(template, notice)).toEqual({
      title: notice.headline,
      count: 347,
      sites: notice.incident?.sites,
      acknowledged: null,
      text: "1182: 347 machines, .",
      fixed: [1, true, null, { "{{kind}}": "as it is" }],
    });
  });

  test("gives nothing for a field of what the notice has not", () => {
    expect(renderTemplate({ a: "{{change.text}}", b: "x{{change.text}}" }, notice)).toEqual({ a: null, b: "x" });
  });

  test("is filled once: what a machine said is no template", () => {
    const hostile = { ...notice, headline: "{{acknowledgeUrl}}" };
    expect(renderTemplate("to: {{headline}}", hostile)).toBe("to: {{acknowledgeUrl}}");
  });

  test.each([
    [
      { a: "{{incident.titel}}" },
      ["a"],
      /"\{\{incident\.titel\}\}" is no field of a notice; use e\.g\. \{\{incident\.title\}\}/,
    ],
    [{ a: ["x", "{{#if x}}"] }, ["a", 1], /is no field of a notice/],
    [{ a: "{{constructor}}" }, ["a"], /is no field/],
    [{ a: "{{__proto__.x}}" }, ["a"], /is no field/],
    ["{{headline}", [], /without its other half/],
    ["headline}}", [], /without its other half/],
    ["x".repeat(17_000), [], /longer than/],
    ["{{at}}".repeat(101), [], /more than 100 fields/],
    [JSON.parse(`${"[".repeat(14)}${"]".repeat(14)}`), Array(13).fill(0), /nested deeper/],
  ])("like %j is refused at its place", (template, path, message) => {
    expect(templateIssue(template)).toEqual({ path, message: expect.stringMatching(message) });
  });

  test("may name every field that a notice has", () => {
    expect(templatePaths).toContain("change.machines");
    for (const path of templatePaths) expect(templateIssue(`{{${path}}}`), path).toBeNull();
  });

  test("keeps its shape, whatever the notice says", () => {
    fc.assert(
      fc.property(fc.string({ unit: "binary" }), (text) => {
        const body = renderTemplate(
          { a: "<{{headline}}>", b: ["{{reason}}"] },
          { ...notice, headline: text, reason: text },
        );
        expect(JSON.parse(JSON.stringify(body))).toEqual({ a: `<${text}>`, b: [text] });
      }),
    );
  });
});
