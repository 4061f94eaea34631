import { alertingConfigSchema, heartbeatSecrets } from "@lynceus/protocol/alerting";
import { expect, test } from "vitest";
import { newSecretKey, parseKeyRing } from "../src/key-ring.ts";
import { sealGiven } from "../src/seal-given.ts";
import { openSecret, receiverSecretPlace } from "../src/sealed-secret.ts";

const keys = parseKeyRing(newSecretKey());
const config = alertingConfigSchema.parse({
  receivers: [
    { type: "slack", id: "ops", name: "#ops" },
    { type: "ntfy", id: "phone", name: "Phone" },
  ],
});
const url = "https://hooks.slack.com/services/T0/B0/abc";

test("what was typed is sealed for its place; what is stored and not typed stays, and is not missing", () => {
  const { sealed, wrong, missing } = sealGiven(keys, config, { phone: ["topic"] }, { ops: { url } });
  expect([wrong, missing]).toEqual([[], []]);
  expect(Object.keys(sealed)).toEqual(["ops"]);
  expect(openSecret(keys, receiverSecretPlace("ops", "url"), sealed.ops?.url ?? "")).toBe(url);
});

test("a needed secret that is nowhere, or is taken away, is missing, which is no reason not to save", () => {
  const { sealed, wrong, missing } = sealGiven(keys, config, { phone: ["topic"] }, { phone: { topic: null } });
  expect(wrong).toEqual([]);
  expect(sealed).toEqual({ phone: { topic: null } });
  expect(missing.map(({ path, message }) => `${path} ${message.split(":")[0]}`)).toEqual([
    "receivers.0 #ops",
    "receivers.1 Phone",
  ]);
});

test.each([
  [{ ops: { url: "hunter2" } }, "ops", "url", /Webhook URL is not right/],
  [{ ops: { password: "hunter2" } }, "ops", "password", /has no secret of this name; it has url/],
  [{ nobody: { url } }, "nobody", null, /no such receiver/],
  [{ [heartbeatSecrets]: { url: "hunter2" } }, heartbeatSecrets, "url", /not an http address/],
])("%j is wrong, nothing is sealed, and no message holds the value", (given, receiver, name, message) => {
  const { sealed, wrong } = sealGiven(keys, config, {}, given);
  expect(sealed).toEqual({});
  expect(wrong).toEqual([{ receiver, name, message: expect.stringMatching(message) }]);
  expect(wrong[0]?.message).not.toContain("hunter2");
});
