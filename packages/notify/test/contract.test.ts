import { readFileSync } from "node:fs";
import type { ReceiverType } from "@lynceus/protocol/receivers";
import { type Authority, issueCertificate, makeAuthority } from "@lynceus/testkit/certificates";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import * as z from "zod";
import { deliver } from "../src/deliver.ts";
import {
  alertmanagerAlerts,
  ntfyMessage,
  pagerDutyAlert,
  pagerDutyChange,
  slackMessage,
  teamsMessage,
} from "./support/contracts.ts";
import { everyKind, opened } from "./support/notices.ts";
import { type At, receiverAt, secretPaths, secretsAt } from "./support/receivers.ts";
import { type VendorServer, vendorServer } from "./support/vendor-server.ts";

const now = Date.UTC(2026, 10, 24, 2, 41, 31);

const fixtureSchema = z.strictObject({
  documentation: z.string(),
  /** What is sent of the notice of `protocol/fixtures/v1/notice.json`. */
  request: z.strictObject({
    method: z.string(),
    url: z.string(),
    headers: z.record(z.string(), z.string()),
    body: z.unknown(),
  }),
  /** What the vendor documents that it answers. */
  answers: z.array(
    z.strictObject({
      what: z.string(),
      status: z.int(),
      headers: z.record(z.string(), z.string()),
      body: z.unknown(),
      outcome: z.enum(["delivered", "retry", "rejected"]),
    }),
  ),
});
const types = ["pagerduty", "alertmanager", "webhook", "slack", "teams", "ntfy"] as const satisfies ReceiverType[];
const fixtureOf = (type: (typeof types)[number]) =>
  fixtureSchema.parse(JSON.parse(readFileSync(new URL(`../fixtures/${type}.json`, import.meta.url), "utf8")));

let authority: Authority;
let server: VendorServer;
let at: At;
beforeAll(async () => {
  authority = await makeAuthority();
  server = await vendorServer(await issueCertificate(authority, { names: ["127.0.0.1"] }));
  at = { origin: server.origin, ca: authority.pem };
});
afterAll(() => server.close());

const send = (type: ReceiverType, notice = opened) =>
  deliver({ notice, receiver: receiverAt(type, at), secrets: secretsAt(type, at) }, { now });

describe.each(types)("%s", (type) => {
  const { request, answers } = fixtureOf(type);

  test("is sent what its documentation asks for, byte for byte as noted", async () => {
    server.answers({ status: 200 });
    await send(type);
    const { method, url, headers, body } = server.received.at(-1)!;
    const noted = Object.fromEntries(Object.keys(request.headers).map((name) => [name, headers[name]]));
    expect({ method, url, headers: noted, body: JSON.parse(body) }).toEqual(request);
    const own = ["host", "connection", "content-length"];
    expect(
      Object.keys(headers)
        .filter((name) => !own.includes(name))
        .sort(),
    ).toEqual(Object.keys(request.headers).sort());
  });

  test.each(answers)("$status, $what, is $outcome", async ({ status, headers, body, outcome }) => {
    server.answers({ status, headers, body });
    const result = await send(type);
    expect(result.outcome).toBe(outcome);
    if (result.outcome === "retry")
      expect(result.afterMs).toBe(headers["retry-after"] === undefined ? null : Number(headers["retry-after"]) * 1000);
  });
});

describe("a notice of every kind", () => {
  const contracts: Partial<Record<ReceiverType, z.ZodType>> = {
    pagerduty: z.union([pagerDutyAlert, pagerDutyChange]),
    alertmanager: alertmanagerAlerts,
    slack: slackMessage,
    teams: teamsMessage,
    ntfy: ntfyMessage,
  };
  test.each(everyKind.flatMap((notice) => types.map((type) => [notice.kind, type, notice] as const)))(
    "%s is taken by %s",
    async (kind, type, notice) => {
      server.answers({ status: 202 });
      const before = server.received.length;
      const outcome = await send(type, notice);
      if (type === "alertmanager" && kind === "change") {
        expect(outcome).toMatchObject({ outcome: "rejected", reason: expect.stringContaining("has no form for") });
        expect(server.received).toHaveLength(before);
        return;
      }
      expect(outcome).toMatchObject({ outcome: "delivered" });
      const { body } = server.received.at(-1)!;
      expect(() => (contracts[type] ?? z.unknown()).parse(JSON.parse(body))).not.toThrow();
    },
  );

  test("goes nowhere without the secrets that its receiver needs", async () => {
    const before = server.received.length;
    for (const type of ["pagerduty", "webhook", "slack", "teams", "ntfy"] as const)
      expect(
        await deliver({ notice: opened, receiver: receiverAt(type, at), secrets: {} }, { now }),
        type,
      ).toMatchObject({
        outcome: "rejected",
        reason: expect.stringMatching(/^On call by .* is missing/),
      });
    expect(server.received).toHaveLength(before);
  });

  test("is sent to the address that is the secret", async () => {
    server.answers({ status: 200 });
    for (const type of ["slack", "teams"] as const) {
      await send(type);
      expect(server.received.at(-1)?.url).toBe(secretPaths[type]);
    }
  });
});
