import { readFileSync } from "node:fs";
import type { Machine } from "@lynceus/protocol/read-api";
import { machineSchema } from "@lynceus/protocol/read-api";
import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { redacted, ticketText } from "../src/ticket.ts";

const now = Date.UTC(2026, 10, 24, 9, 40);

const example = machineSchema.parse(
  JSON.parse(readFileSync(new URL("../../protocol/fixtures/v1/api-machine.json", import.meta.url), "utf8")),
);

/** The protocol's own example of a machine, with what a test cares about changed. */
function machine(change: (machine: Machine) => void = () => {}): Machine {
  const made = structuredClone(example);
  change(made);
  return made;
}

/** Markdown without what is escaped: what is left is live. */
const live = (markdown: string): string => markdown.replace(/\\[!-/:-@[-`{-~]/g, "");

describe("a ticket's text", () => {
  it("has verdict, evidence, the counterfactual, the fix with who does it, and as of when it is", () => {
    const { text, markdown } = ticketText(machine(), { now, link: "https://lynceus.contoso.com/machines/1?tab=a" });
    const made = machine();
    const [primary] = made.diagnosis.findings;
    expect(text).toContain(`${made.hostname}: `);
    expect(text).toContain(made.diagnosis.sentence);
    expect(text).toContain(`[${primary?.pattern}]`);
    for (const { text: evidence } of primary?.evidence ?? []) expect(text).toContain(evidence);
    expect(text).toContain("Exchange, with and without the proxy");
    expect(text).toMatch(/\nFix \(.+\)\n1\. /);
    expect(text).toContain("Written: 2026-11-24 09:40 UTC");
    expect(text).toContain("Page: https://lynceus.contoso.com/machines/1\n");
    expect(markdown).toMatch(/^## /);
    expect(markdown).toContain("### Evidence");
    expect(text.endsWith("\n") && !text.endsWith("\n\n")).toBe(true);
    expect(text).not.toMatch(/\n{3}/);
  });

  it("says that a machine is simulated, and that nothing can be told where nothing can", () => {
    const { text } = ticketText(
      machine((made) => {
        made.simulated = true;
        made.status = "cannot-tell";
        made.diagnosis = { ...made.diagnosis, status: "cannot-tell", findings: [], sentence: "Cannot tell: nothing." };
        made.facts = { ...made.facts, system: null, probes: {} };
      }),
      { now },
    );
    expect(text).toContain("cannot tell whether credential prompts are expected (simulated machine)");
    expect(text).not.toContain("Fix");
    expect(text).not.toContain("Evidence");
  });

  it.each([
    ["http://svc-pac:hunter2@pac.contoso.com/p.pac?key=s3cret", /hunter2|s3cret|svc-pac/],
    ["Proxy-Authorization: Basic dXNlcjpodW50ZXIyMjI=", /dXNlcjpodW50ZXIyMjI/],
    ["Negotiate YIIGeAYGKwYBBQUCoIIGbDCCBmigMDAuBgkqhk", /YIIGeAYGKw/],
    ["password=hunter2; next", /hunter2/],
    ["mail for zoe.miller@contoso.com bounced", /zoe|miller/],
  ])("keeps no secret and no person's name of %s", (said, secret) => {
    const { text, markdown } = ticketText(
      machine((made) => {
        made.diagnosis.sentence = said;
        const [primary] = made.diagnosis.findings;
        if (primary) primary.evidence = [{ text: said, at: null, key: null, value: said }];
      }),
      { now },
    );
    expect(text).not.toMatch(secret);
    expect(markdown).not.toMatch(secret);
  });

  it("lets no hostile text be markup, a link, HTML, a line of its own, or turned round", () => {
    const hostile =
      "# x\n\n[a](http://evil.example) <img src=x onerror=1> ![b](c) `d` www.evil.example \u202Eabc | @all";
    const { text, markdown } = ticketText(
      machine((made) => {
        made.hostname = hostile;
        made.site = hostile;
        made.diagnosis.sentence = hostile;
      }),
      { now },
    );
    const plain = ticketText(machine(), { now });
    // A machine adds no line.
    expect(text.split("\n").length).toBeLessThanOrEqual(plain.text.split("\n").length + 1);
    expect(text).not.toContain("\u202E");
    const left = live(markdown);
    for (const mark of ["](", "<", "![", "`", "www.", "://", "|", "@"]) expect(left).not.toContain(mark);
    expect(left.split("\n").filter((line) => line.startsWith("#"))).toHaveLength(
      live(plain.markdown)
        .split("\n")
        .filter((line) => line.startsWith("#")).length,
    );
  });

  it("is safe for any text: no control, no unescaped markup", { timeout: 60_000 }, () => {
    fc.assert(
      fc.property(fc.string({ unit: "binary", maxLength: 300 }), (said) => {
        const { text, markdown } = ticketText(
          machine((made) => {
            made.hostname = said;
          }),
          { now },
        );
        const [title = ""] = markdown.split("\n");
        const left = live(title.slice("## ".length));
        return (
          !/[\p{Cc}\p{Cf}]/u.test(text.replaceAll("\n", "")) && !/[[\]<>`*_#!|@]|:\/\/|www\.|^\s*[-+=]/i.test(left)
        );
      }),
    );
  });

  it("bounds what a machine can say", () => {
    expect([...redacted("x".repeat(1_000_000))].length).toBeLessThanOrEqual(1025);
  });
});
