import type { ServerCertificate } from "@lynceus/testkit/certificates";
import { type Listening, listen } from "@lynceus/testkit/listening";
import PostalMime, { type Email } from "postal-mime";
import { SMTPServer, type SMTPServerOptions } from "smtp-server";

/** A mail as a server took it. */
export interface TakenMail {
  readonly from: string;
  readonly to: readonly string[];
  /** As it came over the wire. */
  readonly raw: string;
  readonly parsed: Email;
  readonly user: string | undefined;
  readonly secure: boolean;
}

export interface MailServer extends Listening {
  readonly mails: TakenMail[];
}

export interface MailServerOptions {
  readonly certificate?: ServerCertificate;
  /** TLS from the first byte; else STARTTLS is offered where there is a certificate. */
  readonly secure?: boolean;
  /** Users and their passwords; a mail without a login is then refused. */
  readonly users?: Readonly<Record<string, string>>;
  /** What RCPT TO of an address is answered with, instead of 250. */
  readonly refuses?: Readonly<Record<string, readonly [code: number, text: string]>>;
  /** What the mail itself is answered with. */
  readonly answer?: readonly [code: number, text: string];
}

const smtpError = ([code, text]: readonly [number, string]) => Object.assign(new Error(text), { responseCode: code });

/** A real SMTP server on a free port, which keeps what it takes. */
export async function mailServer(options: MailServerOptions = {}): Promise<MailServer> {
  const { certificate, secure = false, users, refuses = {}, answer } = options;
  const mails: TakenMail[] = [];
  const settings: SMTPServerOptions = {
    secure,
    ...(certificate ? { key: certificate.key, cert: certificate.cert } : {}),
    disabledCommands: [...(certificate && !secure ? [] : ["STARTTLS"]), ...(users ? [] : ["AUTH"])],
    authOptional: users === undefined,
    disableReverseLookup: true,
    closeTimeout: 1,
    logger: false,
    onAuth({ username = "", password }, _session, done) {
      if (users && users[username] === password) done(null, { user: username });
      else done(smtpError([535, "5.7.8 Authentication credentials invalid"]));
    },
    onRcptTo({ address }, _session, done) {
      const refusal = refuses[address];
      done(refusal ? smtpError(refusal) : null);
    },
    onData(stream, session, done) {
      const chunks: Buffer[] = [];
      stream.on("data", (chunk: Buffer) => chunks.push(chunk));
      stream.on("end", async () => {
        if (answer) return done(smtpError(answer));
        const raw = Buffer.concat(chunks);
        mails.push({
          from: session.envelope.mailFrom === false ? "" : session.envelope.mailFrom.address,
          to: session.envelope.rcptTo.map(({ address }) => address),
          raw: raw.toString("utf8"),
          parsed: await PostalMime.parse(raw),
          user: session.user,
          secure: session.secure,
        });
        done(null);
      });
    },
  };
  const server = new SMTPServer(settings);
  server.on("error", () => {});
  const { host, port } = await listen(server.server);
  // Its own way to close: sockets under a TLS handshake must not be destroyed.
  return { host, port, mails, close: () => new Promise((resolve) => server.close(() => resolve())) };
}
