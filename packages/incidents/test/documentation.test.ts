import { readFileSync } from "node:fs";
import { describe, expect, it } from "vitest";
import { heldReasons, lifeReasons, toldReasons } from "../src/reasons.ts";
import { alertingFromYaml } from "../src/yaml.ts";

const page = readFileSync(new URL("../../../docs/alerting.md", import.meta.url), "utf8");

describe("docs/alerting.md", () => {
  it.each([
    ["what became of an incident", lifeReasons],
    ["why somebody was told", toldReasons],
    ["why nobody was, or not yet", heldReasons],
  ])("names every reason of %s with its text, and no other", (head, reasons) => {
    const table = page.split(`| ${head} | |\n`)[1]?.split("\n\n", 1)[0] ?? "";
    const rows = [...table.matchAll(/^\| `([a-z-]+)` \| (.+) \|$/gm)].map(([, name, text]) => [name, text]);
    expect(rows).toEqual(Object.entries(reasons));
  });

  it("has a configuration that can be imported as it stands", () => {
    const text = /```yaml\n([\s\S]*?)```/.exec(page)?.[1] ?? "";
    const { config, problems } = alertingFromYaml(text);
    expect(problems).toEqual([]);
    expect(config?.routes.map(({ id }) => id)).toEqual(["monitoring", "urgent", "rest"]);
  });
});
