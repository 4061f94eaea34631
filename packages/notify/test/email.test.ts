import { type Authority, issueCertificate, makeAuthority, type ServerCertificate } from "@lynceus/testkit/certificates";
import { closedPort } from "@lynceus/testkit/listening";
import { tcpServer } from "@lynceus/testkit/tcp-server";
import { afterEach, beforeAll, describe, expect, test } from "vitest";
import { deliver } from "../src/deliver.ts";
import { type MailServer, type MailServerOptions, mailServer } from "./support/mail-server.ts";
import { digest, everyKind, incident, opened, resolved, test as testNotice } from "./support/notices.ts";
import { receiverAt } from "./support/receivers.ts";

const now = Date.UTC(2026, 10, 24, 2, 41, 31);
let authority: Authority;
let certificate: ServerCertificate;
beforeAll(async () => {
  authority = await makeAuthority();
  certificate = await issueCertificate(authority, { names: ["smtp.contoso.com", "127.0.0.1"] });
});

const servers: MailServer[] = [];
const start = async (options: MailServerOptions = {}) => {
  const server = await mailServer(options);
  servers.push(server);
  return server;
};
afterEach(() => Promise.all(servers.splice(0).map((server) => server.close())));

const send = (
  server: { port: number },
  {
    settings = {},
    password,
    notice = opened,
    to,
    timeoutMs = 20_000,
  }: {
    settings?: object;
    password?: string;
    notice?: typeof opened;
    to?: string[];
    timeoutMs?: number;
  } = {},
) =>
  deliver(
    {
      notice,
      receiver: receiverAt("email", { origin: "", ca: authority.pem }, { port: server.port, ...settings }),
      secrets: password === undefined ? {} : { password },
      ...(to ? { to } : {}),
    },
    { now, timeoutMs },
  );

describe("a mail", () => {
  test("has text and HTML that say the same, and a subject that says the cause", async () => {
    const server = await start();
    expect(await send(server)).toMatchObject({ outcome: "delivered", detail: expect.stringMatching(/^250 /) });
    const [{ from, to, parsed }] = server.mails as [(typeof server.mails)[0]];
    expect({ from, to }).toEqual({ from: "lynceus@contoso.com", to: ["oncall@contoso.com"] });
    expect(parsed.subject).toBe("347 machines: px1.contoso.com asks for its own login");
    expect(parsed.from).toMatchObject({ name: "Lynceus", address: "lynceus@contoso.com" });
    expect(parsed.date).toBe("2026-11-24T02:41:30.000Z");
    const visible = parsed
      .html!.replace(/<style>[\s\S]*?<\/style>|<title>.*<\/title>|<[^>]+>/g, " ")
      .replace(/\s+/g, " ");
    for (const line of parsed.text!.split(/\n+/).filter(Boolean)) {
      const [, said = line] = /^[A-Z][A-Za-z0-9 ]+: (.*)$/.exec(line) ?? [];
      if (!said.startsWith("http")) expect(visible).toContain(said);
      else expect(parsed.html).toContain(`href="${said}"`);
    }
  });

  test("is one conversation with the other mails of its incident, and the same at each try", async () => {
    const server = await start();
    await send(server);
    await send(server);
    await send(server, { notice: resolved });
    await send(server, { notice: testNotice });
    const [first, again, end, other] = server.mails.map(({ parsed }) => parsed);
    expect(again?.messageId).toBe(first?.messageId);
    expect(end?.messageId).not.toBe(first?.messageId);
    expect(end?.inReplyTo).toBe(first?.inReplyTo);
    expect(end?.references).toBe(first?.references);
    expect(other?.inReplyTo).not.toBe(first?.inReplyTo);
    expect(first?.messageId).toMatch(/^<[0-9a-f]{40}@contoso\.com>$/);
  });

  test("is answered by no absence note, and is marked only when it is to wake somebody", async () => {
    const server = await start();
    await send(server);
    await send(server, { notice: resolved });
    const headers = server.mails.map(({ parsed }) =>
      Object.fromEntries(parsed.headers.map(({ key, value }) => [key, value])),
    );
    expect(headers[0]).toMatchObject({
      "auto-submitted": "auto-generated",
      "x-auto-response-suppress": "All",
      "x-lynceus-kind": "opened",
      "x-lynceus-incident": "1182",
      importance: "High",
    });
    expect(headers[1]).not.toHaveProperty("importance");
    expect(headers[1]).not.toHaveProperty("x-priority");
  });

  test.each([
    "a\r\nBcc: mallory@example.com",
    "a\nX-Injected: 1\n\nbody",
    "a\u2028b\u0000c",
    `=?utf-8?B?${"A".repeat(40)}?=`,
    "x".repeat(5000),
  ])("gets no header from a headline like %j", async (headline) => {
    const server = await start();
    const names = (mail?: (typeof server.mails)[0]) => mail?.parsed.headers.map(({ key }) => key).sort();
    await send(server);
    const hostile = { ...opened, headline, reason: headline, incident: { ...incident, title: headline } };
    await send(server, { notice: hostile });
    const [plain, injected] = server.mails;
    expect(names(injected)).toEqual(names(plain));
    expect(injected?.to).toEqual(["oncall@contoso.com"]);
    expect(injected?.parsed.subject?.length).toBeLessThanOrEqual(200);
    // RFC 5322, section 2.1.1.
    const head = injected?.raw.split("\r\n\r\n", 1)[0] ?? "";
    for (const line of head.split("\r\n")) expect(Buffer.byteLength(line)).toBeLessThanOrEqual(998);
  });

  test("can be written to one person instead", async () => {
    const server = await start();
    await send(server, { to: ["m.huber@contoso.com"] });
    expect(server.mails[0]?.to).toEqual(["m.huber@contoso.com"]);
    expect(await send(server, { settings: { to: [] } })).toMatchObject({
      outcome: "rejected",
      reason: expect.stringContaining("nobody to send to"),
    });
  });

  test.each(everyKind)("is made of a notice of kind $kind", async (notice) => {
    const server = await start();
    expect(await send(server, { notice })).toMatchObject({ outcome: "delivered" });
    expect(server.mails[0]?.parsed).toMatchObject({ html: expect.any(String), text: expect.any(String) });
  });

  test("of a digest links to each incident", async () => {
    const server = await start();
    await send(server, { notice: digest });
    for (const number of [1182, 1183])
      expect(server.mails[0]?.parsed.html).toContain(`href="https://lynceus.contoso.com/incidents/${number}"`);
  });
});

describe("a mail server", () => {
  test("is spoken to by TLS from the start", async () => {
    const server = await start({ certificate, secure: true });
    expect(await send(server, { settings: { security: "tls" } })).toMatchObject({ outcome: "delivered" });
    expect(server.mails[0]?.secure).toBe(true);
  });

  test("is spoken to by STARTTLS before anything is said, login included", async () => {
    const server = await start({ certificate, users: { lynceus: "smtp-hunter2" } });
    const settings = { security: "starttls", username: "lynceus" };
    expect(await send(server, { settings, password: "smtp-hunter2" })).toMatchObject({ outcome: "delivered" });
    expect(server.mails[0]).toMatchObject({ secure: true, user: "lynceus" });
  });

  test("that offers no STARTTLS is told nothing", async () => {
    const server = await start();
    expect(await send(server, { settings: { security: "starttls" } })).toMatchObject({
      outcome: "retry",
      reason: expect.stringMatching(/STARTTLS/),
    });
    expect(server.mails).toEqual([]);
  });

  test.each(["tls", "starttls"] as const)("of an unknown authority is told nothing, by %s", async (security) => {
    const server = await start({ certificate, secure: security === "tls" });
    const settings = { security, connection: { reach: "loopback" } };
    expect(await send(server, { settings })).toMatchObject({ outcome: "retry" });
    expect(server.mails).toEqual([]);
  });

  test("of another name is told nothing", async () => {
    const other = await issueCertificate(authority, { names: ["other.contoso.com"] });
    const server = await start({ certificate: other, secure: true });
    expect(await send(server, { settings: { security: "tls" } })).toMatchObject({
      outcome: "retry",
      reason: expect.stringMatching(/altnames|certificate/i),
    });
  });

  test("that knows another password rejects, and the password is nowhere in the reason", async () => {
    const server = await start({ certificate, users: { lynceus: "another" } });
    const settings = { security: "starttls", username: "lynceus" };
    const outcome = await send(server, { settings, password: "smtp-hunter2" });
    expect(outcome).toEqual({ outcome: "rejected", reason: expect.stringMatching(/535/) });
    expect(JSON.stringify(outcome)).not.toContain("hunter2");
  });

  test.each([
    [[451, "4.7.1 Greylisted, try again later"], "retry"],
    [[452, "4.2.2 Mailbox full"], "retry"],
    [[550, "5.1.1 No such user"], "rejected"],
  ] as const)("that answers RCPT with %j: %s", async (refusal, outcome) => {
    const server = await start({ refuses: { "oncall@contoso.com": refusal } });
    expect(await send(server)).toMatchObject({ outcome, reason: expect.stringContaining(refusal[1]) });
  });

  test.each([
    [[421, "4.3.2 Shutting down"], "retry"],
    [[552, "5.3.4 Message too big"], "rejected"],
    [[554, "5.7.1 Looks like spam"], "rejected"],
  ] as const)("that answers the mail with %j: %s", async (answer, outcome) => {
    const server = await start({ answer });
    expect(await send(server)).toMatchObject({ outcome, reason: expect.stringContaining(answer[1]) });
  });

  test("that takes it for some says for whom it did not", async () => {
    const server = await start({ refuses: { "gone@contoso.com": [550, "5.1.1 No such user"] } });
    const settings = { to: ["oncall@contoso.com", "gone@contoso.com"] };
    expect(await send(server, { settings })).toEqual({
      outcome: "delivered",
      detail: expect.stringMatching(/^250 .*; refused: gone@contoso\.com$/),
    });
  });

  test("that is away is worth another try", async () => {
    expect(await send({ port: await closedPort() })).toMatchObject({ outcome: "retry" });
  });

  test.each(["hang", "close", "reset"] as const)("that does nothing but %s is worth another try", async (mode) => {
    const bad = await tcpServer(mode);
    const outcome = await send(bad, mode === "close" ? {} : { timeoutMs: 100 });
    expect(outcome).toMatchObject({ outcome: "retry" });
    await bad.close();
  });

  test.each([
    [{ host: "169.254.169.254" }, /nothing is ever sent to/],
    [{ host: "127.0.0.1", connection: { reach: "private" } }, /this machine itself/],
    [{ host: "localhost", connection: { reach: "private" } }, /this machine itself/],
    [{ host: "127.1", connection: { reach: "private" } }, /this machine itself/],
  ])("is looked for within the fence alone: %j", async (settings, reason) => {
    const server = await start();
    expect(await send(server, { settings })).toMatchObject({
      outcome: "rejected",
      reason: expect.stringMatching(reason),
    });
    expect(server.mails).toEqual([]);
  });
});
