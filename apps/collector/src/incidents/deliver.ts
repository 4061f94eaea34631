import { setTimeout as delay } from "node:timers/promises";
import { currentAlerting, sealedSecrets } from "@lynceus/db/alerting";
import type { Database } from "@lynceus/db/client";
import {
  type ClaimedNotice,
  claimNotice,
  dueNotices,
  type NewNotice,
  nudgeOverdue,
  type Settlement,
  sendingMs,
  settleNotice,
} from "@lynceus/db/notices";
import { isTransient } from "@lynceus/db/sql-error";
import { acknowledgeUrl } from "@lynceus/notify/acknowledge-link";
import { deliver } from "@lynceus/notify/deliver";
import type { DeliveryContext } from "@lynceus/notify/http";
import type { KeyRing } from "@lynceus/notify/key-ring";
import { type Outcome, rejected, retry } from "@lynceus/notify/outcome";
import { openSecret, receiverSecretPlace, SealedSecretError } from "@lynceus/notify/sealed-secret";
import type { AlertingConfig } from "@lynceus/protocol/alerting";
import type { Receiver } from "@lynceus/protocol/receivers";
import type { Logger } from "pino";
import type { Metrics } from "../metrics/metrics.ts";
import { judge } from "./retry.ts";
import { undeliveredNotice } from "./undelivered.ts";

/** Between two tries to write down what became of a delivery. */
const settlePauseMs = 250;
/** How long the link of a page is good. */
const linkMs = 7 * 24 * 3_600_000;

export interface DeliveriesOptions {
  readonly db: Database;
  readonly collectorId: string;
  readonly keys: KeyRing;
  readonly dashboardUrl: () => string;
  readonly now: () => number;
  readonly random: () => number;
  readonly metrics: Metrics;
  readonly log: Logger;
  /** What every receiver may reach beside what it says itself; for tests. */
  readonly reach?: DeliveryContext["reach"];
  /** For tests: called between the steps of a delivery. */
  readonly onStep?: (step: string) => void | Promise<void>;
}

/** The secrets of a receiver, opened. @throws SealedSecretError */
export async function secretsOf(db: Database, keys: KeyRing, receiver: string): Promise<Record<string, string>> {
  const sealed = await sealedSecrets(db, receiver);
  return Object.fromEntries(
    Object.entries(sealed).map(([name, text]) => [name, openSecret(keys, receiverSecretPlace(receiver, name), text)]),
  );
}

/** Sends notices: any collector does it, each notice is under way at one of them at a time. */
export function createDeliveries(options: DeliveriesOptions) {
  const { db, collectorId, keys, now, log, metrics } = options;
  const stopping = new AbortController();

  async function send(notice: ClaimedNotice, config: AlertingConfig, receiver: Receiver | undefined): Promise<Outcome> {
    if (!receiver) return rejected(`there is no receiver "${notice.receiver}" any more`);
    let secrets: Record<string, string>;
    try {
      secrets = await secretsOf(db, keys, receiver.id);
    } catch (error) {
      if (error instanceof SealedSecretError) return rejected(error.message);
      throw error;
    }
    const person = config.people.find(({ id }) => id === notice.person);
    // Who is handed an incident takes it over from who has it.
    const isFree = notice.body.incident?.acknowledgedBy === null || notice.reason === "handed-over";
    const link =
      person && notice.body.incident && notice.incident !== null && isFree
        ? acknowledgeUrl(options.dashboardUrl(), keys, {
            incident: notice.incident,
            person: person.id,
            expiresAt: now() + linkMs,
          })
        : null;
    const to = receiver.type === "email" && person?.email && receiver.settings.to.length === 0 ? [person.email] : null;
    return deliver(
      { notice: { ...notice.body, acknowledgeUrl: link }, receiver, secrets, ...(to && { to }) },
      { now: now(), signal: stopping.signal, ...(options.reach && { reach: options.reach }) },
    );
  }

  /**
   * What became of a try is known here alone: while the database is away it is held on to, as long as the notice is ours.
   * Given up, it is sent again, with the same key.
   */
  async function settle(
    notice: ClaimedNotice,
    settlement: Settlement,
    by: { now: number; reports: readonly NewNotice[] },
  ): Promise<boolean> {
    const until = performance.now() + sendingMs / 2;
    for (;;) {
      try {
        return await settleNotice(db, notice, settlement, by);
      } catch (error) {
        if (!isTransient(error) || stopping.signal.aborted || performance.now() > until) throw error;
        await delay(settlePauseMs, undefined, { signal: stopping.signal }).catch(() => {});
      }
    }
  }

  async function attempt(id: string): Promise<void> {
    await options.onStep?.("job-begun");
    const { notice } = await claimNotice(db, id, { collectorId, now: now() });
    if (!notice) return;
    await options.onStep?.("claimed");
    const { config } = await currentAlerting(db);
    const receiver = config.receivers.find((one) => one.id === notice.receiver);
    let outcome: Outcome;
    try {
      outcome = await send(notice, config, receiver);
    } catch (error) {
      outcome = retry(error instanceof Error ? error.message.split("\n", 1)[0]! : "unknown error");
      log.warn({ err: error, notice: notice.key }, "a notice could not be sent");
    }
    await options.onStep?.("sent");
    // We stop: whoever takes it up next begins anew, with the same key.
    if (stopping.signal.aborted && outcome.outcome !== "delivered") return;
    const at = now();
    const { settlement, report } = judge(
      outcome,
      {
        kind: notice.kind,
        urgency: notice.urgency,
        attempts: notice.attempts,
        createdAt: notice.createdAt.getTime(),
        reported: notice.reportedAt !== null,
      },
      { now: at, random: options.random() },
    );
    const reports = report ? undeliveredNotice(notice, settlement.detail, config, { now: at }) : [];
    const ours = await settle(notice, settlement, { now: at, reports });
    metrics.notices.inc({ outcome: ours ? settlement.state : "taken-over", type: receiver?.type ?? "none" });
    const about = { notice: notice.key, receiver: notice.receiver, kind: notice.kind, attempt: notice.attempts };
    if (settlement.state === "sent") log.info(about, "notice delivered");
    else log.warn({ ...about, state: settlement.state, detail: settlement.detail }, "notice not delivered");
    await options.onStep?.("settled");
  }

  return {
    /** The job of one notice. */
    attempt,

    /** Notices of which nothing became in time are taken up again. */
    nudge: () => nudgeOverdue(db, { now: now() }),
    /** What a collector of our name was sending when it ended is taken up again now. */
    takeUp: () => nudgeOverdue(db, { now: now(), restartedAs: collectorId }),

    /** All that may be sent now, one after the other: what a test without the clock of jobs does. */
    async all(): Promise<void> {
      for (const id of await dueNotices(db, now())) await attempt(id);
    },

    stop(): void {
      stopping.abort();
    },
  };
}

export type Deliveries = ReturnType<typeof createDeliveries>;
