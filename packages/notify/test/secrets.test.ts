import { receiverTypes } from "@lynceus/protocol/receivers";
import { issueCertificate, makeAuthority } from "@lynceus/testkit/certificates";
import { afterAll, beforeAll, describe, expect, test, vi } from "vitest";
import { deliver } from "../src/deliver.ts";
import { sendHeartbeat } from "../src/heartbeat.ts";
import { redactSecrets } from "../src/redact.ts";
import { mailServer } from "./support/mail-server.ts";
import { opened } from "./support/notices.ts";
import { type At, receiverAt, secretsAt } from "./support/receivers.ts";
import { type VendorServer, vendorServer } from "./support/vendor-server.ts";

const now = Date.UTC(2026, 10, 24, 2, 41, 31);
let server: VendorServer;
let at: At;
beforeAll(async () => {
  const authority = await makeAuthority();
  server = await vendorServer(await issueCertificate(authority, { names: ["127.0.0.1"] }));
  at = { origin: server.origin, ca: authority.pem };
});
afterAll(() => server.close());

/** Each secret of the tests holds it, as it is or as base64 of "hunter2" at one of three offsets. */
const traces = /hunter2|aHVudGVy|h1bnRlcj|odW50ZXIy/;

describe("a secret", () => {
  test.each(receiverTypes)("of type %s is no part of the receiver that is shown and exported", (type) => {
    expect(JSON.stringify(receiverAt(type, at))).not.toMatch(traces);
  });

  test.each([
    ["pagerduty", 400],
    ["alertmanager", 400],
    ["webhook", 400],
    ["slack", 404],
    ["teams", 401],
    ["ntfy", 403],
    ["pagerduty", 200],
    ["slack", 302],
    ["ntfy", 500],
    ["webhook", 301],
  ] as const)(
    "of type %s does not come back from a server that repeats all it was sent with %i",
    async (type, status) => {
      const printed = vi.spyOn(process.stdout, "write").mockReturnValue(true);
      const warned = vi.spyOn(process.stderr, "write").mockReturnValue(true);
      const settings = type === "alertmanager" ? { username: "lynceus" } : {};
      for (const part of ["url", "headers", "body"] as const) {
        server.answers(({ [part]: said, url }) => ({
          status,
          headers: { location: `https://elsewhere.example${url}` },
          body: typeof said === "string" ? said : JSON.stringify(said),
        }));
        const secrets = secretsAt(type, at);
        const outcome = await deliver(
          { notice: opened, receiver: receiverAt(type, at, settings_(settings)), secrets },
          { now },
        );
        expect(JSON.stringify(outcome)).not.toMatch(traces);
        for (const secret of Object.values(secrets)) expect(JSON.stringify(outcome)).not.toContain(secret);
      }
      expect(JSON.stringify([...printed.mock.calls, ...warned.mock.calls])).not.toMatch(traces);
      vi.restoreAllMocks();
    },
  );
  const settings_ = (settings: object) =>
    Object.keys(settings).length === 0 ? {} : { ...settings, connection: { reach: "loopback", ca: at.ca } };

  test("of mail does not come back from a server that repeats the login", async () => {
    const login = Buffer.from("\0lynceus\0smtp-hunter2").toString("base64");
    const authority = await makeAuthority();
    const smtp = await mailServer({
      certificate: await issueCertificate(authority, { names: ["127.0.0.1"] }),
      users: { lynceus: "smtp-hunter2" },
      answer: [554, `5.7.1 refused for ${login} smtp-hunter2`],
    });
    const receiver = receiverAt(
      "email",
      { origin: "", ca: authority.pem },
      { port: smtp.port, security: "starttls", username: "lynceus" },
    );
    const outcome = await deliver({ notice: opened, receiver, secrets: { password: "smtp-hunter2" } }, { now });
    expect(outcome).toEqual({ outcome: "rejected", reason: expect.stringContaining("refused for … …") });
    await smtp.close();
  });

  test("address of a dead man's switch does not come back", async () => {
    server.answers(({ url }) => ({ status: 404, body: `no such check: ${url}` }));
    const connection = receiverAt("ntfy", at).settings.connection as Parameters<typeof sendHeartbeat>[1];
    expect(await sendHeartbeat(`${at.origin}/ping/0a1b-hunter2`, connection, { now })).toEqual({
      outcome: "rejected",
      reason: "HTTP 404: no such check: …",
    });
    expect(server.received.at(-1)).toMatchObject({ method: "GET", body: "" });
    server.answers({ status: 200, body: "OK" });
    expect(await sendHeartbeat(`${at.origin}/ping/0a1b-hunter2`, connection, { now })).toEqual({
      outcome: "delivered",
      detail: "HTTP 200: OK",
    });
  });

  test.each([
    ["token abc.def is unknown", ["abc.def"], "token … is unknown"],
    ['as JSON: a\\"b', ['a"b'], "as JSON: …"],
    ["encoded: p%40ss%20word", ["p@ss word"], "encoded: …"],
    ["GET /services/T0/B0/longpath not found", ["https://hooks.slack.com/services/T0/B0/longpath"], "GET … not found"],
    ["bad sig longsignature", ["https://x.example/a?sig=longsignature"], "bad sig …"],
    ["nothing secret", [""], "nothing secret"],
    ["line\u202Ebreak\n", [], "line⟨U+202E⟩break⟨U+000A⟩"],
  ])("in %j is taken out in any of its forms", (text, secrets, left) => {
    expect(redactSecrets(text, secrets)).toBe(left);
  });
});
