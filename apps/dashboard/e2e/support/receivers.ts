import { currentAlerting, sealedSecrets } from "@lynceus/db/alerting";
import { claimNotice, dueNotices, settleNotice } from "@lynceus/db/notices";
import type { Fleet } from "@lynceus/db/scope";
import { deliver } from "@lynceus/notify/deliver";
import { openSecret, receiverSecretPlace } from "@lynceus/notify/sealed-secret";
import { httpServer } from "@lynceus/testkit/http-server";
import { listen } from "@lynceus/testkit/listening";
import { SMTPServer } from "smtp-server";
import { keyRing } from "../../test/support/incidents.ts";

/** A webhook's server on this machine, which keeps what it is sent and answers as told. */
export async function webhookServer() {
  const state = { status: 200, said: "", headers: [] as string[] };
  const bodies: string[] = [];
  const server = await httpServer((request, response) => {
    const chunks: Buffer[] = [];
    request.on("data", (chunk: Buffer) => chunks.push(chunk));
    request.on("end", () => {
      bodies.push(Buffer.concat(chunks).toString("utf8"));
      state.headers = Object.keys(request.headers);
      response.writeHead(state.status).end(state.said);
    });
  });
  return { state, bodies, url: `http://127.0.0.1:${server.port}/hook`, close: () => server.close() };
}

/** A real SMTP server on this machine, without TLS and without a login: a relay inside. */
export async function mailServer() {
  const mails: string[] = [];
  const smtp = new SMTPServer({
    disabledCommands: ["STARTTLS", "AUTH"],
    authOptional: true,
    disableReverseLookup: true,
    closeTimeout: 1,
    logger: false,
    onData(stream, _session, done) {
      const chunks: Buffer[] = [];
      stream.on("data", (chunk: Buffer) => chunks.push(chunk));
      stream.on("end", () => {
        mails.push(Buffer.concat(chunks).toString("utf8"));
        done();
      });
    },
  });
  smtp.on("error", () => {});
  const { port } = await listen(smtp.server);
  return { mails, port, close: () => new Promise<void>((resolve) => smtp.close(() => resolve())) };
}

/** Sends what is due at one receiver, as a collector does: opened secrets, one real try, and what became of it. */
export async function deliverTo(db: Fleet, id: string): Promise<void> {
  const now = Date.now();
  const { config } = await currentAlerting(db);
  const receiver = config.receivers.find((one) => one.id === id);
  if (!receiver) throw new Error(`there is no receiver "${id}"`);
  const sealed = await sealedSecrets(db, id);
  const secrets = Object.fromEntries(
    Object.entries(sealed).map(([name, text]) => [name, openSecret(keyRing, receiverSecretPlace(id, name), text)]),
  );
  for (const due of await dueNotices(db, now)) {
    const row = await db.prisma.notice.findUnique({ where: { id: BigInt(due) }, select: { receiver: true } });
    if (row?.receiver !== id) continue;
    const { notice } = await claimNotice(db, due, { collectorId: "test", now });
    if (!notice) continue;
    const outcome = await deliver(
      { notice: notice.body, receiver, secrets },
      { now, signal: AbortSignal.timeout(10_000) },
    );
    await settleNotice(
      db,
      notice,
      outcome.outcome === "delivered"
        ? { state: "sent", detail: outcome.detail }
        : { state: "dead", detail: outcome.reason },
      { now },
    );
  }
}
