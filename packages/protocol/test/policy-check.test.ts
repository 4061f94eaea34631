import { describe, expect, it } from "vitest";
import { policyProblems } from "../src/policy-check.ts";
import { buildPolicy } from "../src/presets.ts";

const preset = buildPolicy({ ews: ["mail.contoso.com"], smtpDomains: ["contoso.com"], sipDomains: ["contoso.com"] }, 1);

describe("a policy's problems", () => {
  it("are none in what the presets make", () => {
    expect(policyProblems(preset)).toEqual([]);
    expect(policyProblems({ targets: [], groups: [] })).toEqual([]);
  });

  it("name what a group lacks, and where", () => {
    const [first, ...others] = preset.groups;
    const groups = [{ ...first!, anyOf: [...first!.anyOf, "ews-mial"] }, ...others];
    expect(policyProblems({ ...preset, groups })).toEqual([
      {
        path: `groups[0].anyOf[${first!.anyOf.length}]`,
        message: expect.stringMatching(/^"ews-mial" is no target; use one of /),
      },
    ]);
  });

  it("are ids that are there twice", () => {
    const [target] = preset.targets;
    const [group] = preset.groups;
    const messages = policyProblems({
      targets: [...preset.targets, target!],
      groups: [...preset.groups, { ...group!, anyOf: [group!.anyOf[0]!, group!.anyOf[0]!] }],
    }).map(({ message }) => message);
    expect(messages).toEqual([
      `target "${target!.id}" is there twice; ids key a machine's history`,
      `group "${group!.id}" is there twice; give each its own id`,
      `target "${group!.anyOf[0]}" is named twice in one group`,
    ]);
  });

  it("are a target without its port, and nothing that is required", () => {
    const targets = preset.targets.map((target) => ({ ...target, port: target.kind === "srv" ? target.port : null }));
    expect(policyProblems({ ...preset, targets })[0]?.message).toMatch(/has no port; use e\.g\. 443/);
    const groups = preset.groups.map((group) => ({ ...group, required: false }));
    expect(policyProblems({ ...preset, groups })).toEqual([
      { path: "groups", message: expect.stringContaining("no group is required") },
    ]);
  });
});
