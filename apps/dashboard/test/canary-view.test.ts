import { type Canary, canaryEffects } from "@lynceus/protocol/read-api-tools";
import { describe, expect, test } from "vitest";
import { canarySentence, proposalText } from "../src/components/canary/words.ts";
import { readCanary, readCanaryForm } from "../src/lib/canary-input.ts";
import { emptyCanary } from "../src/lib/canary-values.ts";

const filled = { ...emptyCanary(), title: "px2 for all", server: "px2.contoso.com:8080" };

describe("the form of a canary", () => {
  test("gives the proposal, with the machines that are to probe", () => {
    const machine = "0195f0a0-0000-4000-8000-000000000002";
    const { canary, errors } = readCanary({ ...filled, bypass: "<local>", q: "os:windows", probe: machine });
    expect(errors).toEqual({});
    expect(canary).toEqual({
      title: "px2 for all",
      proposal: { autoDetect: false, pac: null, server: "px2.contoso.com:8080", bypass: "<local>" },
      q: "os:windows",
      site: null,
      probe: [machine],
    });
  });
  test("with nothing filled in proposes no proxy", () => {
    expect(readCanary({ ...emptyCanary(), title: "direct" }).canary?.proposal).toEqual({
      autoDetect: false,
      pac: null,
      server: null,
      bypass: "",
    });
  });
  test.each([
    [{ title: "" }, "title", "use e.g."],
    [{ server: "user:secret@px2:8080" }, "server", "name or password"],
    [{ scriptUrl: "http://user:secret@pac.contoso.com/p.pac" }, "scriptUrl", "name or password"],
    [{ scriptUrl: "ftp://pac.contoso.com/p.pac" }, "scriptUrl", "use e.g. http://"],
    [{ scriptUrl: "http://pac.contoso.com/p.pac", script: "function FindProxyForURL() {}" }, "scriptUrl", "only one"],
    [{ server: "", bypass: "<local>" }, "bypass", "proxy server alone"],
    [{ script: "x".repeat(256 * 1024 + 1) }, "script", ""],
    [{ probe: "no-id" }, "probe", ""],
  ] as const)("refuses %o", (change, field, said) => {
    const { canary, errors } = readCanary({ ...filled, ...change });
    expect(canary).toBeNull();
    expect(errors[field]).toContain(said);
  });
  test("reads what was sent and nothing else", () => {
    const form = new FormData();
    form.set("title", "  t  ");
    form.set("autoDetect", "on");
    form.set("server", new Blob(["file"]));
    expect(readCanaryForm(form)).toMatchObject({ title: "t", autoDetect: true, server: "" });
  });
});

const canary = (effects: Partial<Canary["effects"]>, over: Partial<Canary> = {}): Canary => {
  const all = Object.fromEntries(canaryEffects.map((effect) => [effect, effects[effect] ?? 0])) as Canary["effects"];
  const evaluated = Object.values(all).reduce((sum, count) => sum + count, 0);
  return {
    id: "0195f0a0-0000-4000-8000-000000000002",
    title: "px2",
    createdAt: "2026-11-24T09:18:10Z",
    createdBy: "ada@contoso.com",
    finishedAt: null,
    state: "done",
    reason: null,
    proposal: { autoDetect: false, pac: null, server: null, bypass: "" },
    q: "",
    site: null,
    machines: evaluated,
    evaluated,
    effects: all,
    probes: { asked: 0, answered: 0, missing: 0 },
    ...over,
  };
};

describe("a canary's sentence", () => {
  test("says first who would break", () => {
    expect(canarySentence(canary({ breaks: 3, repairs: 16, "cannot-tell": 2, same: 40 }))).toEqual({
      bad: "3 of 61 machines would break",
      rest: ", 16 would be repaired, 2 cannot be told. 21 would change route, 40 keep theirs.",
    });
  });
  test("does not call safe what is only not known to break", () => {
    expect(canarySentence(canary({ "cannot-tell": 5, same: 1 })).rest).toMatch(
      /^None of 6 machines is known to break, 5 cannot be told\./,
    );
  });
  test("says when nobody was judged", () => {
    expect(canarySentence(canary({}, { state: "queued" })).rest).toMatch(/^Waiting/);
    expect(canarySentence(canary({}, { state: "done" })).rest).toBe("No machine was judged.");
    expect(canarySentence(canary({}, { state: "failed" })).rest).toBe("Could not be judged.");
  });
});

test("a proposal is one line, in the order in which its ways are tried", () => {
  const proposal = {
    autoDetect: true,
    pac: { from: "text" as const, url: null, sha256: "41ab07".padEnd(64, "1") },
    server: "px2.contoso.com:8080",
    bypass: "<local>",
  };
  expect(proposalText({ proposal })).toBe(
    "auto-detect, then script by text 41ab07, then proxy px2.contoso.com:8080, past it <local>",
  );
  expect(proposalText(canary({}))).toBe("no proxy");
});
