import { readFileSync } from "node:fs";
import { receiverSecrets } from "@lynceus/protocol/receiver-secrets";
import { receiverSchema, receiverTypes } from "@lynceus/protocol/receivers";
import { describe, expect, test } from "vitest";
import { receiverAt } from "./support/receivers.ts";

const text = readFileSync(new URL("../../../docs/receivers.md", import.meta.url), "utf8");
const sections = new Map(
  text.split(/^## /m).map((section) => [
    section
      .split("\n", 1)[0]
      ?.toLowerCase()
      .replace(/^microsoft |-/g, ""),
    section,
  ]),
);

describe.each(receiverTypes)("docs/receivers.md on %s", (type) => {
  const row = text.split("\n").find((line) => line.startsWith(`| \`${type}\` |`)) ?? "";

  test("has a section that says what to set where", () => {
    expect(sections.get(type)?.length).toBeGreaterThan(300);
  });
  test("names every secret and every setting that has no default", () => {
    for (const name of Object.keys(receiverSecrets[type])) expect(row).toContain(`\`${name}\``);
    const { settings, ...receiver } = receiverAt(type, { origin: "https://127.0.0.1", ca: null });
    for (const name of Object.keys(settings)) {
      const { [name]: _left, ...without } = settings as Record<string, unknown>;
      if (!receiverSchema.safeParse({ ...receiver, settings: without }).success)
        expect(sections.get(type), `${type}.${name}`).toMatch(new RegExp(`\\b${name}\\b`));
    }
  });
});
