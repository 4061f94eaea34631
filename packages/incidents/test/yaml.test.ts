import { alertingConfigSchema, defaultAlerting } from "@lynceus/protocol/alerting";
import { describe, expect, it } from "vitest";
import { alertingFromYaml, alertingToYaml, maxYamlChars } from "../src/yaml.ts";
import { config } from "./support/world.ts";

const full = config({
  people: [{ id: "anna", name: "Anna: on call #1", receivers: ["pager"] }],
  schedules: [
    {
      id: "ops",
      name: "Operations",
      zone: "Europe/Berlin",
      layers: [{ people: ["anna"], start: "2026-01-05T09:00", turn: { every: 1, unit: "week" } }],
    },
  ],
  escalations: [{ id: "wake", name: "Wake", steps: [{ targets: [{ schedule: "ops" }], minutes: 20 }] }],
  routes: [
    { id: "all", name: "Everything", match: "urgency:high -site:Manila", escalation: "wake", groupWaitSeconds: 30 },
  ],
  settings: { highMachines: 7, fallback: ["team"] },
});

describe("the YAML of a configuration", () => {
  it("gives the same configuration when it is read", () => {
    for (const one of [full, defaultAlerting, alertingConfigSchema.parse({})])
      expect(alertingFromYaml(alertingToYaml(one))).toEqual({ config: one, problems: [] });
  });

  it("is what a person would write: without defaults, times and filters as they are", () => {
    const text = alertingToYaml(full);
    expect(text).toContain("match: urgency:high -site:Manila");
    expect(text).toContain("start: 2026-01-05T09:00");
    expect(text).toContain("highMachines: 7");
    expect(text).not.toContain("openMachines");
    expect(text).not.toContain("sendResolved");
    expect(text.split("\n").length).toBeLessThan(60);
  });

  it.each([
    ["no YAML", "routes: [", /at line 1/],
    ["a key twice", "routes: []\nroutes: []", /unique/],
    ["aliases, which make a short text long", "people: &a []\nroutes: *a", /anchors and aliases are not read/],
    ["a list", "- 1", /./],
    ["a text that is too long", `# ${"x".repeat(maxYamlChars)}`, /at most/],
    [
      "what breaks a rule",
      "routes:\n  - id: a\n    name: A\n    receivers: [nobody]",
      /"nobody" names none of receivers/,
    ],
  ])("that is %s is refused with the reason", (_, text, message) => {
    const { config: read, problems } = alertingFromYaml(text);
    expect(read).toBeNull();
    expect(problems[0]?.message).toMatch(message);
  });

  it("of nothing is an empty configuration", () => {
    expect(alertingFromYaml("{}").config).toEqual(alertingConfigSchema.parse({}));
  });
});
