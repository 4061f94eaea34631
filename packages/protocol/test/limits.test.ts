import { describe, expect, test } from "vitest";
import * as z from "zod";
import { decodeAgentMessage, jsonDepth } from "../src/decode.ts";
import { confirmationSchema, observationKinds, observationSchema, rawObservationSchema } from "../src/facts.ts";
import { limits } from "../src/limits.ts";
import { agentMessageSchema, collectorMessageSchema } from "../src/messages.ts";
import { policySchema } from "../src/policy.ts";
import { fixture, fixtureText } from "./fixtures.ts";

/*
 * The schemas are walked, so that a new field without a bound fails here: every string, list, record and number that
 * crosses the wire has one.
 */

type JsonSchema = z.core.JSONSchema.BaseSchema;

/** A pattern that bounds the length: both ends, and no count without an end. */
const isFixed = (pattern: string) => /^\^.*\$$/.test(pattern) && !/[^\\][*+]|\{\d+,\}/.test(pattern);

/** Headers: a check of the schema itself, which JSON Schema does not show; tested below. */
const boundedRecord = /\.headers$/;
function unbounded(schema: JsonSchema, path: string): string[] {
  const branches = [...(schema.anyOf ?? []), ...(schema.oneOf ?? []), ...(schema.allOf ?? [])];
  if (branches.length > 0) return branches.flatMap((item, index) => unbounded(item as JsonSchema, `${path}|${index}`));
  if (schema.const !== undefined || schema.enum) return [];
  const types = [schema.type].flat();
  if (types.every((type) => type === "boolean" || type === "null")) return [];
  switch (schema.type) {
    case "object": {
      const properties = Object.entries(schema.properties ?? {});
      const inner = properties.flatMap(([key, item]) => unbounded(item as JsonSchema, `${path}.${key}`));
      if (!schema.propertyNames) return inner;
      const values = unbounded(schema.additionalProperties as JsonSchema, `${path}{}`);
      const keys = unbounded(schema.propertyNames as JsonSchema, `${path}{key}`);
      return [...inner, ...keys, ...values, ...(boundedRecord.test(path) ? [] : [path])];
    }
    case "array":
      return [...(schema.maxItems === undefined ? [path] : []), ...unbounded(schema.items as JsonSchema, `${path}[]`)];
    case "string":
      return schema.maxLength === undefined && !isFixed(schema.pattern ?? "") ? [path] : [];
    case "number":
    case "integer":
      return schema.maximum === undefined ? [path] : [];
    default:
      // Facts of a raw observation: bounded by `decodeObservation`.
      return path.endsWith(".facts") ? [] : [`${path} (${schema.type})`];
  }
}

describe("every field of the wire is bounded", () => {
  test.each([
    ["agent's messages", agentMessageSchema],
    ["collector's messages", collectorMessageSchema],
    ["observations", observationSchema],
    ["raw observations", rawObservationSchema],
    ["confirmations", confirmationSchema],
    ["policy", policySchema],
  ])("%s", (_, schema) => {
    expect(unbounded(z.toJSONSchema(schema, { io: "input" }), "")).toEqual([]);
  });
});

/** Every place of a value, as its path. */
function places(value: unknown, path: (string | number)[] = []): (string | number)[][] {
  if (typeof value !== "object" || value === null) return [path];
  return [
    path,
    ...Object.entries(value).flatMap(([key, item]) =>
      places(item, [...path, Array.isArray(value) ? Number(key) : key]),
    ),
  ];
}

function replaced(value: unknown, path: readonly (string | number)[], change: (old: unknown) => unknown): unknown {
  const [head, ...rest] = path;
  if (head === undefined) return change(value);
  const copy = (Array.isArray(value) ? [...value] : { ...(value as object) }) as Record<string | number, unknown>;
  copy[head] = replaced(copy[head], rest, change);
  return copy;
}

describe("a value beyond its bound is refused", () => {
  const observations = [...observationKinds.map((kind) => `observation-${kind}`), "observation-probe-direct"];
  test.each(observations)("in every string and list of %s", (name) => {
    const value = fixture(name);
    for (const path of places(value)) {
      const old = path.reduce<unknown>((at, key) => (at as Record<string | number, unknown>)[key], value);
      if (typeof old === "string")
        expect(
          observationSchema.safeParse(replaced(value, path, () => "x".repeat(20_000))).success,
          path.join("."),
        ).toBe(false);
      if (Array.isArray(old))
        expect(
          observationSchema.safeParse(replaced(value, path, () => Array(600).fill(old[0] ?? "x"))).success,
          path.join("."),
        ).toBe(false);
      if (typeof old === "number")
        expect(observationSchema.safeParse(replaced(value, path, () => 1e300)).success, path.join(".")).toBe(false);
    }
  });
  test("501 observations in one message are refused, 500 are taken", () => {
    const message = fixture("observations");
    const [item] = message.items;
    const small = { ...item, kind: "x", facts: null };
    const withItems = (count: number) =>
      decodeAgentMessage(JSON.stringify({ ...message, items: Array(count).fill(small) })).ok;
    expect(withItems(limits.observationsPerMessage)).toBe(true);
    expect(withItems(limits.observationsPerMessage + 1)).toBe(false);
  });
  test("49 headers are refused, 48 are taken", () => {
    const probe = fixture("observation-probe-direct");
    const withHeaders = (count: number) => {
      probe.facts.http.headers = Object.fromEntries(Array.from({ length: count }, (_, i) => [`x-${i}`, "y"]));
      return observationSchema.safeParse(probe).success;
    };
    expect(withHeaders(limits.headers)).toBe(true);
    expect(withHeaders(limits.headers + 1)).toBe(false);
  });
  test("a message above a megabyte is refused before it is parsed", () => {
    const text = fixtureText("hello").padEnd(limits.messageBytes + 1);
    expect(decodeAgentMessage(text)).toMatchObject({ ok: false, error: { code: "too-large", type: null } });
    expect(decodeAgentMessage(text.slice(0, limits.messageBytes)).ok).toBe(true);
  });
  test("a message nested deeper than the bound is refused before it is parsed", () => {
    const nested = (depth: number) => {
      const message = fixture("hello");
      message.extra = 0;
      // The object itself is one level.
      return JSON.stringify(message).replace('"extra":0', `"extra":${"[".repeat(depth - 1)}${"]".repeat(depth - 1)}`);
    };
    expect(decodeAgentMessage(nested(limits.rawDepth + 4)).ok).toBe(true);
    expect(decodeAgentMessage(nested(limits.rawDepth + 5))).toMatchObject({ ok: false, error: { code: "too-deep" } });
  });
});

describe("the depth of a text", () => {
  test.each([
    ["1", 0],
    ["[]", 1],
    ['{"a":[{}]}', 3],
    ['"[[["', 0],
    ['["\\"[[["]', 1],
    ['["\\\\",[]]', 2],
    ['{"[":"]"}', 1],
    ["]]][", 0],
  ])("%s is %i", (text, depth) => {
    expect(Math.max(0, jsonDepth(text))).toBe(depth);
  });
  test("takes one look at each character: a hundred times the text asks for a hundred times the characters", () => {
    // Counted, not timed: a machine under load must not fail this.
    const looks = (length: number) => {
      let count = 0;
      const text = "[".repeat(length);
      const counting = {
        length,
        charCodeAt: (i: number) => {
          count++;
          return text.charCodeAt(i);
        },
      };
      jsonDepth(counting as unknown as string);
      return count;
    };
    expect(looks(1000)).toBe(1000);
    expect(looks(100_000)).toBe(100_000);
  });
});
