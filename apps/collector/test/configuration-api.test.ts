import { createApiToken } from "@lynceus/db/api-tokens";
import { everyMachine } from "@lynceus/protocol/access";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { startTestCollector, type TestCollector } from "./support/collector.ts";
import { testPolicy } from "./support/facts.ts";

let test: TestCollector;
let secret: string;
beforeAll(async () => {
  test = await startTestCollector();
  ({ secret } = await createApiToken(test.db, {
    label: "admin",
    scopes: ["admin"],
    scope: everyMachine,
    createdBy: "test",
  }));
});
afterAll(() => test.stop());

async function call(method: string, path: string, body?: unknown) {
  const answer = await fetch(`${test.collector.url.replace("ws:", "http:")}/api/v1${path}`, {
    method,
    headers: {
      authorization: `Bearer ${secret}`,
      ...(body === undefined ? {} : { "content-type": "application/json" }),
    },
    ...(body === undefined ? {} : { body: JSON.stringify(body) }),
  });
  // biome-ignore lint/suspicious/noExplicitAny: tests look into answers of many shapes
  return { status: answer.status, body: (await answer.json()) as any };
}
const { version: _, ...policy } = testPolicy(1);

describe("the policy by the API", () => {
  it("is saved as the next version, which every agent is told of and the audit has", async () => {
    const changed = { ...policy, intervals: { ...policy.intervals, cycleMinutes: 7 } };
    const saved = await call("PUT", "/policy", { baseVersion: 1, note: "seven minutes", policy: changed });
    expect(saved).toMatchObject({
      status: 200,
      body: { version: 2, note: "seven minutes", createdBy: "api token admin", policy: { version: 2 } },
    });
    await expect.poll(() => test.collector.policy.current.intervals.cycleMinutes).toBe(7);
    const versions = await call("GET", "/policy/versions");
    expect(versions.body.items.map((item: { version: number }) => item.version)).toEqual([2, 1]);
    expect((await call("GET", "/policy/versions/1")).body.policy.intervals.cycleMinutes).toBe(
      policy.intervals.cycleMinutes,
    );
    expect((await call("GET", "/policy/versions/9")).status).toBe(404);
    expect(await test.rows("SELECT action FROM audit WHERE actor = 'api token admin'")).toEqual([
      { action: "policy.save" },
    ]);
  });

  it("is not saved over somebody else's change", async () => {
    const refused = await call("PUT", "/policy", { baseVersion: 1, policy });
    expect([refused.status, refused.body.error.code]).toEqual([409, "conflict"]);
    expect(refused.body.error.message).toBe(
      "version 1 was edited, and version 2 is in force; read it again and repeat the change",
    );
  });

  it("is not saved when it cannot work, and all that is wrong is said", async () => {
    const groups = policy.groups.map((group) => ({ ...group, required: false, anyOf: ["nothing"] }));
    const refused = await call("PUT", "/policy", { baseVersion: 2, policy: { ...policy, groups } });
    expect([refused.status, refused.body.error.code]).toEqual([422, "bad-policy"]);
    expect(refused.body.error.message).toMatch(/"nothing" is no target.*no group is required/);
    const shape = await call("PUT", "/policy", { baseVersion: 2, policy: { ...policy, targets: "mail" } });
    expect([shape.status, shape.body.error.code]).toEqual([400, "invalid"]);
  });
});

describe("the map of sites by the API", () => {
  it("is replaced as a whole, and refused with the subnet that is none", async () => {
    const items = [
      { cidr: "10.1.0.0/16", site: "Bern" },
      { cidr: "10.2.0.0/16", site: "Graz" },
    ];
    expect(await call("PUT", "/sites", { items })).toEqual({ status: 200, body: { items } });
    const refused = await call("PUT", "/sites", { items: [{ cidr: "10.1.0.0", site: "Bern" }] });
    expect([refused.status, refused.body.error.code]).toEqual([400, "bad-subnet"]);
    expect((await call("GET", "/sites")).body).toEqual({ items });
  });
});
