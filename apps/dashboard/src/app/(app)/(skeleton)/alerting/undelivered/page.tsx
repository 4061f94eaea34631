import { CursorError } from "@lynceus/db/cursor";
import { listNotices } from "@lynceus/db/notices";
import { allows } from "@lynceus/protocol/access";
import { formatCount, formatTime, safeText } from "@lynceus/protocol/present";
import type { NoticeRow } from "@lynceus/protocol/read-api-incidents";
import type { Metadata } from "next";
import Link from "next/link";
import { RetryNotice } from "../../../../../components/alerting/acts.tsx";
import styles from "../../../../../components/alerting/alerting.module.css";
import { AlertingHeader } from "../../../../../components/alerting/alerting-header.tsx";
import { noticeOutcome } from "../../../../../components/alerting/words.ts";
import { RefreshWhile } from "../../../../../components/canary/refresh-while.tsx";
import forms from "../../../../../components/forms/forms.module.css";
import layout from "../../../../../components/layout/layout.module.css";
import { Panel } from "../../../../../components/layout/panel.tsx";
import { StateBox } from "../../../../../components/layout/state-box.tsx";
import { RememberZone } from "../../../../../components/machines/remember-zone.tsx";
import { database } from "../../../../../lib/db.ts";
import { requireRight } from "../../../../../lib/session.ts";
import { alerting } from "../../../../../lib/told.ts";
import { viewerZone, zoneName } from "../../../../../lib/zone.ts";

export const metadata: Metadata = { title: "Undelivered" };

const pageSize = 50;

/** Which notices did not arrive, and why? */
export default async function UndeliveredPage({ searchParams }: { searchParams: Promise<Record<string, unknown>> }) {
  const { access } = await requireRight("oversee");
  const { cursor } = await searchParams;
  const db = database();
  const query = { state: "dead" as const, limit: pageSize };
  const [zone, { config }, dead, failed, queued] = await Promise.all([
    viewerZone(),
    alerting(),
    // A cursor that is none of ours begins anew.
    listNotices(db, { ...query, cursor: typeof cursor === "string" ? cursor : null }).catch((error: unknown) => {
      if (error instanceof CursorError) return listNotices(db, query);
      throw error;
    }),
    listNotices(db, { state: "failed", limit: pageSize }),
    listNotices(db, { state: "queued", limit: pageSize }),
  ]);
  const now = Date.now();
  const waiting = [...failed.items, ...queued.items.filter(({ createdAt }) => now - Date.parse(createdAt) > 30_000)];
  const may = allows(access, "configure");
  const nameOf = (id: string) => config.receivers.find((receiver) => receiver.id === id)?.name ?? null;
  const shared = { may, nameOf, clock: { now, zone } };
  const fallback = config.settings.fallback.map((id) => nameOf(id) ?? id);
  return (
    <>
      <RememberZone zone={zone} />
      <RefreshWhile running={queued.items.length > 0} />
      <AlertingHeader title="Undelivered" />
      <h1 className="vh">Undelivered notices</h1>
      <div className={forms.column}>
        <Panel
          title="Given up"
          sub={`${dead.total >= 1000 ? "1,000 or more" : formatCount(dead.total)}, newest first; ${zoneName(zone, now)}`}
        >
          {dead.items.length === 0 ? (
            <div className={layout.body}>
              <StateBox title="Nothing was given up">
                A notice that a receiver refuses for good, or does not take within a day, stands here with what the
                receiver answered.{" "}
                {config.receivers.length < 2
                  ? "With two receivers or more, another one is told of it."
                  : `It is told to ${fallback.length > 0 ? fallback.map((one) => safeText(one, 60)).join(", ") : "the first other receiver that works"}.`}
              </StateBox>
            </div>
          ) : (
            <List notices={dead.items} {...shared} />
          )}
          {dead.nextCursor === null ? null : (
            <p className={styles.foot}>
              <Link className="link" href={`/alerting/undelivered?cursor=${encodeURIComponent(dead.nextCursor)}`}>
                Older ones
              </Link>
            </p>
          )}
        </Panel>
        {waiting.length === 0 ? null : (
          <Panel title="Waiting for the next try" sub={formatCount(waiting.length)}>
            <List notices={waiting} {...shared} />
          </Panel>
        )}
      </div>
    </>
  );
}

function List(props: {
  notices: readonly NoticeRow[];
  may: boolean;
  nameOf: (id: string) => string | null;
  clock: { now: number; zone: string };
}) {
  const { notices, may, nameOf, clock } = props;
  return (
    <div className={forms.scroll}>
      <table className={forms.table}>
        <thead>
          <tr>
            <th scope="col">When</th>
            <th scope="col">Notice</th>
            <th scope="col" className={forms.wide}>
              Receiver
            </th>
            {may ? (
              <th scope="col">
                <span className="vh">Acts</span>
              </th>
            ) : null}
          </tr>
        </thead>
        <tbody>
          {notices.map((notice) => {
            const outcome = noticeOutcome(notice, clock.now);
            const name = nameOf(notice.receiver);
            const receiver =
              name === null ? (
                <span className="dim">
                  <bdi>{safeText(notice.receiver, 63)}</bdi>, removed
                </span>
              ) : (
                <Link className="link" href={`/alerting/receivers/${notice.receiver}`}>
                  <bdi>{safeText(name, 80)}</bdi>
                </Link>
              );
            return (
              <tr key={notice.id}>
                <td className="nowrap">
                  <time dateTime={notice.createdAt} title={notice.createdAt}>
                    {formatTime(Date.parse(notice.createdAt), clock)}
                  </time>
                </td>
                <td className={styles.match}>
                  {notice.incident === null ? (
                    <bdi>{safeText(notice.headline, 160)}</bdi>
                  ) : (
                    <Link className="link" href={`/incidents/${notice.incident}`}>
                      <bdi>{safeText(notice.headline, 160)}</bdi>
                    </Link>
                  )}
                  <small>
                    <span className={outcome.tone === "plain" ? "" : outcome.tone}>
                      <bdi>{outcome.text}</bdi>
                    </span>
                    {notice.nextAt === null || notice.state === "dead"
                      ? ""
                      : `; next try ${formatTime(Date.parse(notice.nextAt), clock)}`}
                  </small>
                  <small className={forms.narrow}>{receiver}</small>
                </td>
                <td className={forms.wide}>{receiver}</td>
                {may ? (
                  <td>
                    <RetryNotice id={notice.id} describes={safeText(notice.headline, 80)} />
                  </td>
                ) : null}
              </tr>
            );
          })}
        </tbody>
      </table>
    </div>
  );
}
