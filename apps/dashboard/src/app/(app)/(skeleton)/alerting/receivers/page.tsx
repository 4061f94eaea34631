import { lastNotices } from "@lynceus/db/notices";
import { allows } from "@lynceus/protocol/access";
import { formatCount, safeText } from "@lynceus/protocol/present";
import { Button } from "@mantine/core";
import type { Metadata } from "next";
import styles from "../../../../../components/alerting/alerting.module.css";
import { AlertingHeader } from "../../../../../components/alerting/alerting-header.tsx";
import { PieceLink, PiecePanel } from "../../../../../components/alerting/piece-panel.tsx";
import { noticeOutcome, placeText, typeNames } from "../../../../../components/alerting/words.ts";
import forms from "../../../../../components/forms/forms.module.css";
import layout from "../../../../../components/layout/layout.module.css";
import { StateBox } from "../../../../../components/layout/state-box.tsx";
import { LocalTime } from "../../../../../components/local-time.tsx";
import { Chip } from "../../../../../components/status/chip.tsx";
import { missingOf, secretsSet } from "../../../../../lib/alerting/page-data.ts";
import { usersOf } from "../../../../../lib/alerting/pieces.ts";
import { database } from "../../../../../lib/db.ts";
import { requireRight } from "../../../../../lib/session.ts";
import { alerting } from "../../../../../lib/told.ts";

export const metadata: Metadata = { title: "Receivers" };

/** Notices of so many days are looked at for what became of the last one. */
const days = 7;

/** Where do notices go, and did the last one arrive? */
export default async function ReceiversPage() {
  const { access } = await requireRight("oversee");
  const now = Date.now();
  const [{ config }, set, last] = await Promise.all([
    alerting(),
    secretsSet(),
    lastNotices(database(), new Date(now - days * 86_400_000)),
  ]);
  const may = allows(access, "configure");
  const { receivers } = config;
  return (
    <>
      <AlertingHeader title="Receivers" />
      <h1 className="vh">Receivers</h1>
      <PiecePanel
        title="Receivers"
        sub={receivers.length === 0 ? "none yet" : formatCount(receivers.length)}
        kind="receivers"
        add={may && receivers.length > 0 ? "Add a receiver" : null}
      >
        {receivers.length === 0 ? (
          <div className={layout.body}>
            <StateBox
              title="No receivers yet"
              action={
                may ? (
                  <Button component="a" variant="filled" href="/alerting/new/receivers">
                    Add a receiver
                  </Button>
                ) : undefined
              }
            >
              A receiver is where notices go: PagerDuty, a mailbox, a channel of Slack or Teams, a phone by ntfy, an
              Alertmanager, anything that takes a webhook. Routes and people name it by its id.
            </StateBox>
          </div>
        ) : (
          <div className={forms.scroll}>
            <table className={forms.table}>
              <thead>
                <tr>
                  <th scope="col">Receiver</th>
                  <th scope="col" className={forms.wide}>
                    Where
                  </th>
                  <th scope="col" className={forms.wide}>
                    Named by
                  </th>
                  <th scope="col">Last notice, of {days} days</th>
                </tr>
              </thead>
              <tbody>
                {receivers.map((receiver) => {
                  const missing = missingOf(receiver, set[receiver.id] ?? []);
                  const users = usersOf(config, "receivers", receiver.id);
                  const notice = last.get(receiver.id);
                  const outcome = notice === undefined ? null : noticeOutcome(notice, now);
                  return (
                    <tr key={receiver.id}>
                      <td>
                        <PieceLink kind="receivers" piece={receiver} />
                        <small>
                          {typeNames[receiver.type]} <span className="mono">{receiver.id}</span>
                        </small>
                      </td>
                      <td className={forms.wide}>
                        <bdi>{safeText(placeText(receiver), 120)}</bdi>
                        <small>at most {formatCount(receiver.capPerHour)} an hour, then a digest</small>
                      </td>
                      <td className={forms.wide}>
                        {users.length === 0 ? (
                          <span className="dim">nothing</span>
                        ) : (
                          <bdi>{safeText(users.slice(0, 3).join(", "), 200)}</bdi>
                        )}
                        {users.length > 3 ? <small>and {formatCount(users.length - 3)} more</small> : null}
                      </td>
                      <td className={styles.match}>
                        {missing === null ? null : (
                          <Chip tone="stale">{safeText(missing.split(":")[0] ?? "", 60)}</Chip>
                        )}{" "}
                        {notice === undefined || outcome === null ? (
                          <span className="dim">none</span>
                        ) : (
                          <>
                            <span className={outcome.tone === "plain" ? "" : outcome.tone}>
                              {outcome.text.split(":")[0]}
                            </span>{" "}
                            <LocalTime at={Date.parse(notice.createdAt)} now={now} />
                          </>
                        )}
                      </td>
                    </tr>
                  );
                })}
              </tbody>
            </table>
          </div>
        )}
      </PiecePanel>
    </>
  );
}
