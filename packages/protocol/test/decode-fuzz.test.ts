import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { decodeAgentMessage, decodeCollectorMessage, decodeObservation } from "../src/decode.ts";
import { fixture, fixtureNames, fixtureText } from "./fixtures.ts";

/** Decodes both ways and in both steps; the result is a value or a typed error, never a throw. */
function decodeAll(text: string): void {
  for (const decode of [decodeAgentMessage, decodeCollectorMessage]) {
    const result = decode(text);
    if (!result.ok) {
      expect(["too-large", "not-json", "too-deep", "unknown-type", "invalid"]).toContain(result.error.code);
      expect(result.error.message.length).toBeLessThanOrEqual(512);
    } else if (result.value.type === "observations") {
      for (const item of result.value.items) {
        const decoded = decodeObservation(item);
        // What is stored must be JSON that PostgreSQL takes.
        expect(JSON.stringify(decoded.observation)).not.toMatch(/\\u0000|\\ud[89a-f]/);
      }
    }
  }
}

/** Any UTF-16 units, half surrogates among them. */
const wild = (maxLength = 40) =>
  fc.string({ unit: fc.integer({ min: 0, max: 0xffff }).map((unit) => String.fromCharCode(unit)), maxLength });
const anyFixture = fc.constantFrom(...fixtureNames);
const nasty = fc.constantFrom<unknown>(
  null,
  "",
  "\0",
  "\uD800",
  "x".repeat(5000),
  -1,
  1e308,
  0.5,
  [],
  {},
  [[[[[[]]]]]],
  { __proto__: null },
  true,
);

/** Replaces the n-th place of a value, counted over all objects and lists. */
function mutate(value: unknown, place: number, by: unknown): unknown {
  let left = place;
  const walk = (at: unknown): unknown => {
    if (left-- === 0) return by;
    if (Array.isArray(at)) return at.map(walk);
    if (typeof at !== "object" || at === null) return at;
    return Object.fromEntries(Object.entries(at).map(([key, item]) => [key, walk(item)]));
  };
  return walk(value);
}

describe("decoding never throws", () => {
  test("on any text", () => {
    fc.assert(fc.property(fc.oneof(wild(), fc.json()), decodeAll), { numRuns: 500 });
  });
  test("on a fixture with bytes changed, cut or doubled", () => {
    fc.assert(
      fc.property(anyFixture, fc.nat(), wild(4), fc.nat(20), (name, at, insert, cut) => {
        const text = fixtureText(name);
        const position = at % text.length;
        decodeAll(text.slice(0, position) + insert + text.slice(position + cut));
      }),
      { numRuns: 1000 },
    );
  });
  test("on a fixture with any field replaced by anything", () => {
    fc.assert(
      fc.property(anyFixture, fc.nat(120), fc.oneof(nasty, fc.jsonValue()), (name, place, by) => {
        decodeAll(JSON.stringify(mutate(fixture(name), place, by)));
      }),
      { numRuns: 1500 },
    );
  });
  test("on nesting of any depth", () => {
    for (const depth of [10, 20, 100, 10_000, 500_000]) {
      decodeAll(`${"[".repeat(depth)}${"]".repeat(depth)}`);
      decodeAll('{"a":'.repeat(depth));
      decodeAll("[".repeat(depth));
    }
  });
  test("on what is no object", () => {
    for (const text of [
      "",
      "null",
      "1",
      '"hello"',
      "[]",
      "true",
      "{}",
      '{"type":null}',
      '{"type":["hello"]}',
      '{"type":{}}',
    ])
      for (const decode of [decodeAgentMessage, decodeCollectorMessage]) expect(decode(text).ok).toBe(false);
  });
});

describe("what a peer sends changes nothing but its message", () => {
  const hello = fixtureText("hello");
  test("__proto__, constructor and prototype keys are inert, however they are written", () => {
    for (const key of ["__proto__", "\\u005f_proto__", "constructor", "prototype"]) {
      const text = hello.replace("{", `{"${key}": {"polluted": true, "approved": true},`);
      const result = decodeAgentMessage(text);
      expect(({} as Record<string, unknown>).polluted).toBeUndefined();
      if (!result.ok) throw new Error(result.error.message);
      expect(Object.getPrototypeOf(result.value)).toBe(Object.prototype);
      expect((result.value as unknown as Record<string, unknown>).polluted).toBeUndefined();
    }
  });
  test("a __proto__ key in headers and raw facts is inert", () => {
    const message = fixtureText("observations")
      .replace('"headers": {', '"headers": {"__proto__": "x",')
      .replace('"layout":', '"__proto__": {"polluted": true}, "layout":');
    const result = decodeAgentMessage(message);
    if (!result.ok || result.value.type !== "observations") throw new Error("not decoded");
    for (const item of result.value.items) {
      decodeObservation(item);
      expect(Object.getPrototypeOf(item.facts)).toBe(Object.prototype);
      expect((item.facts as Record<string, unknown>).polluted).toBeUndefined();
    }
  });
  test("NUL and half surrogates, which PostgreSQL cannot store, become U+FFFD in values and keys", () => {
    const message = fixture("observations");
    message.items[5].facts = { "a\0b": ["\uD800x", "ok \u{1F441}"] };
    message.items[0].facts.hostname = "LT\0-9\uDC00";
    const result = decodeAgentMessage(JSON.stringify(message));
    if (!result.ok || result.value.type !== "observations") throw new Error("not decoded");
    expect(result.value.items[5]?.facts).toEqual({ "a\uFFFDb": ["\uFFFDx", "ok \u{1F441}"] });
    expect(result.value.items[0]?.facts).toMatchObject({ hostname: "LT\uFFFD-9\uFFFD" });
  });
  test("an error names the field and the rule, in at most 512 characters", () => {
    const message = fixture("heartbeat");
    message.outbox.items = -1;
    expect(decodeAgentMessage(JSON.stringify(message))).toMatchObject({
      ok: false,
      error: { code: "invalid", type: "heartbeat", message: expect.stringMatching(/^outbox\.items: .*>=0/) },
    });
    expect(decodeAgentMessage(JSON.stringify({ v: 1, type: "x".repeat(10_000) }))).toMatchObject({
      ok: false,
      error: { code: "unknown-type", type: "x".repeat(64) },
    });
  });
});
