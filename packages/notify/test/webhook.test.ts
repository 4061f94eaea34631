import { noticeSchema } from "@lynceus/protocol/notice";
import { webhookSettingsSchema } from "@lynceus/protocol/receivers";
import { issueCertificate, makeAuthority } from "@lynceus/testkit/certificates";
import { Webhook } from "standardwebhooks";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { deliver } from "../src/deliver.ts";
import { toWebhookRequest, webhookId } from "../src/webhook.ts";
import { opened } from "./support/notices.ts";
import { type At, receiverAt, secrets, secretsAt } from "./support/receivers.ts";
import { type VendorServer, vendorServer } from "./support/vendor-server.ts";

let server: VendorServer;
let at: At;
beforeAll(async () => {
  const authority = await makeAuthority();
  server = await vendorServer(await issueCertificate(authority, { names: ["127.0.0.1"] }));
  at = { origin: server.origin, ca: authority.pem };
});
afterAll(() => server.close());

const now = Date.UTC(2026, 10, 24, 2, 41, 31, 900);
describe("a webhook", () => {
  /*
   * The library of those who wrote the specification is the receiver; it compares with the real clock, so this try is of
   * now.
   */
  test("is believed by a receiver that verifies it with the specification's own library", async () => {
    const receiver = new Webhook(secrets.webhook.signingSecret);
    await deliver(
      { notice: opened, receiver: receiverAt("webhook", at), secrets: secretsAt("webhook", at) },
      { now: Date.now() },
    );
    const { body, headers, url } = server.received.at(-1)!;
    const verify = (text: string, more: object = {}) => receiver.verify(text, { ...headers, ...more } as never);
    expect(noticeSchema.parse(verify(body))).toEqual(opened);
    expect(url).toBe("/in?key=token-hunter2");
    expect(() => verify(`${body} `)).toThrow();
    expect(() => verify(body, { "webhook-id": "another" })).toThrow();
    expect(() => verify(body, { "webhook-timestamp": String(Number(headers["webhook-timestamp"]) - 1) })).toThrow();
    expect(() => new Webhook("whsec_AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA").verify(body, headers as never)).toThrow();
  });

  test("has the same id at each try, and the time of the try", () => {
    const settings = webhookSettingsSchema.parse({ url: "https://hooks.contoso.com/" });
    const first = toWebhookRequest(opened, settings, secrets.webhook, now);
    const later = toWebhookRequest(opened, settings, secrets.webhook, now + 60_000);
    expect(later.body).toBe(first.body);
    expect(later.headers["webhook-id"]).toBe(first.headers["webhook-id"]);
    expect(Number(later.headers["webhook-timestamp"]) - Number(first.headers["webhook-timestamp"])).toBe(60);
    expect(later.headers["webhook-signature"]).not.toBe(first.headers["webhook-signature"]);
  });

  test("is signed over what the template makes", () => {
    const template = { text: "{{headline}} ({{incident.number}})", machines: "{{incident.machines}}" };
    const settings = webhookSettingsSchema.parse({ url: "https://hooks.contoso.com/", template });
    expect(toWebhookRequest(opened, settings, secrets.webhook, now).body).toBe(
      '{"text":"347 machines: px1.contoso.com asks for its own login (1182)","machines":347}',
    );
  });

  test("puts its token wherever the address asks for it", () => {
    const settings = webhookSettingsSchema.parse({
      url: "https://hooks.contoso.com/{token}/in?k={token}",
      method: "PUT",
    });
    expect(toWebhookRequest(opened, settings, secrets.webhook, now)).toMatchObject({
      url: "https://hooks.contoso.com/token-hunter2/in?k=token-hunter2",
      method: "PUT",
    });
  });

  test("has an id that can stand in a header and in what is signed", () => {
    expect(webhookId("notice-7f0c-1")).toBe("notice-7f0c-1");
    for (const key of ["a.b", "a b", "ä", "a\r\nX: y", "x/y"]) expect(webhookId(key), key).toMatch(/^[0-9a-f]{64}$/);
  });
});
