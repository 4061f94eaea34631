import { createHash } from "node:crypto";
import { connect, isIP, type Socket } from "node:net";
import type { Notice } from "@lynceus/protocol/notice";
import type { SecretsOf } from "@lynceus/protocol/receiver-secrets";
import type { EmailSettings } from "@lynceus/protocol/receivers";
import { createTransport, type SendMailOptions } from "nodemailer";
import { toMailHtml } from "./email-html.ts";
import { fencedLookup, requireAllowedHost, widerReach } from "./fence.ts";
import { type DeliveryContext, deadlineOf, outOfTime, trusted } from "./http.ts";
import { cut, headlineOf, toMessage, toPlainText } from "./message.ts";
import { delivered, type Outcome, outcomeOfError, rejected, retry } from "./outcome.ts";

/** Mail servers are slow on purpose (greeting delays), so one try takes longer than by HTTP. */
const mailTimeoutMs = 30_000;

/** Characters of a subject: a phone shows some 40, a desktop some 120. */
const maxSubject = 200;

const messageId = (name: string, from: string): string =>
  `<${createHash("sha256").update(name).digest("hex").slice(0, 40)}@${from.slice(from.indexOf("@") + 1)}>`;

/**
 * The mail of a notice, for nodemailer. All notices of a thread answer the same first id, so that a mail program shows them
 * as one conversation; each try of a notice has the same id, so that one that came twice is shown once.
 * @param to instead of the receiver's own addresses
 */
export function toMail(
  notice: Notice,
  settings: EmailSettings,
  { zone, to = settings.to }: { readonly zone: string; readonly to?: readonly string[] },
): SendMailOptions {
  const message = toMessage(notice, { zone });
  const thread = messageId(`thread ${notice.thread}`, settings.from);
  const loud = message.tone === "wake" && notice.kind !== "grew";
  return {
    from: { name: "Lynceus", address: settings.from },
    to: [...to],
    // What is left of a line break would be a header; nodemailer encodes the rest.
    subject: cut(headlineOf(message).replace(/\s+/g, " "), maxSubject),
    messageId: messageId(notice.key, settings.from),
    inReplyTo: thread,
    references: [thread],
    date: new Date(notice.at),
    text: toPlainText(message),
    html: toMailHtml(message),
    ...(loud ? { priority: "high" as const } : {}),
    headers: {
      // RFC 3834: no absence note answers this; the second is Exchange's own.
      "Auto-Submitted": "auto-generated",
      "X-Auto-Response-Suppress": "All",
      "X-Lynceus-Kind": notice.kind,
      ...(notice.incident === null ? {} : { "X-Lynceus-Incident": String(notice.incident.number) }),
    },
    disableFileAccess: true,
    disableUrlAccess: true,
  };
}

/**
 * A connection within the fence; nodemailer would resolve the name itself. The signal holds until it is open: from then on
 * it is nodemailer's to end, because Node crashes where a socket is destroyed below a TLS handshake.
 */
function fencedSocket(settings: EmailSettings, context: DeliveryContext, signal: AbortSignal): Promise<Socket> {
  const reach = widerReach(settings.connection.reach, context.reach ?? "public");
  return new Promise((resolve, reject) => {
    requireAllowedHost(settings.host, reach);
    const socket = connect({ host: settings.host, port: settings.port, lookup: fencedLookup(reach, context.resolve) });
    const end = () => socket.destroy(signal.reason);
    signal.addEventListener("abort", end, { once: true });
    socket.once("error", reject);
    socket.once("connect", () => {
      signal.removeEventListener("abort", end);
      socket.off("error", reject);
      resolve(socket);
    });
  });
}

interface SmtpError {
  readonly code?: string;
  readonly responseCode?: number;
  readonly message: string;
}

/**
 * SMTP says itself what is worth another try: 4yz is, 5yz is not (RFC 5321 section 4.2.1). Without STARTTLS today there may
 * be STARTTLS tomorrow, as with a certificate.
 */
function outcomeOfSmtp(error: unknown): Outcome {
  const { code = "", responseCode, message } = error as SmtpError;
  const text = String(message).replace(/\s+/g, " ").slice(0, 300);
  if (code === "ETLS") return retry(text);
  if (responseCode !== undefined && responseCode >= 500) return rejected(text);
  if (code === "EAUTH" && responseCode === undefined) return rejected(text);
  return responseCode === undefined ? outcomeOfError(error) : retry(text);
}

/** Sends a notice by SMTP. Never rejects. */
export async function sendEmail(
  notice: Notice,
  settings: EmailSettings,
  secrets: SecretsOf<"email">,
  zone: string,
  context: DeliveryContext & { readonly to?: readonly string[] },
): Promise<Outcome> {
  const to = context.to ?? settings.to;
  if (to.length === 0) return rejected("nobody to send to: the receiver has no address and none was given");
  const limited = { timeoutMs: mailTimeoutMs, ...context };
  const signal = deadlineOf(limited);
  try {
    const name = settings.host.replace(/^\[|\]$/g, "");
    const transport = createTransport({
      host: settings.host,
      port: settings.port,
      connection: await fencedSocket(settings, limited, signal),
      secure: settings.security === "tls",
      requireTLS: settings.security === "starttls",
      ignoreTLS: settings.security === "none",
      tls: { ...trusted(settings.connection.ca), ...(isIP(name) === 0 ? { servername: name } : {}) },
      ...(settings.username === null ? {} : { auth: { user: settings.username, pass: secrets.password ?? "" } }),
      disableFileAccess: true,
      disableUrlAccess: true,
      socketCloseTimeout: 1000,
    });
    const info = await transport.sendMail({ ...toMail(notice, settings, { zone, to }), signal });
    const refused = info.rejected.map(String);
    return delivered(`${info.response}${refused.length > 0 ? `; refused: ${refused.join(", ")}` : ""}`.slice(0, 300));
  } catch (error) {
    return signal.aborted ? outOfTime(limited) : outcomeOfSmtp(error);
  }
}
