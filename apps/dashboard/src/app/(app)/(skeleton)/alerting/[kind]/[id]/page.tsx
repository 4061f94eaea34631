import { listNotices } from "@lynceus/db/notices";
import { allows } from "@lynceus/protocol/access";
import { formatTime, safeText } from "@lynceus/protocol/present";
import type { NoticeRow } from "@lynceus/protocol/read-api-incidents";
import type { Metadata } from "next";
import Link from "next/link";
import { notFound } from "next/navigation";
import { RemovePiece, TestReceiver } from "../../../../../../components/alerting/acts.tsx";
import { AlertingHeader } from "../../../../../../components/alerting/alerting-header.tsx";
import { PieceForm } from "../../../../../../components/alerting/piece-form.tsx";
import { noticeOutcome, typeNames } from "../../../../../../components/alerting/words.ts";
import { RefreshWhile } from "../../../../../../components/canary/refresh-while.tsx";
import forms from "../../../../../../components/forms/forms.module.css";
import { Panel } from "../../../../../../components/layout/panel.tsx";
import { RememberZone } from "../../../../../../components/machines/remember-zone.tsx";
import { choicesOf, secretFields, secretsSet } from "../../../../../../lib/alerting/page-data.ts";
import { isListKind, kindWords, pieceOf, usersOf } from "../../../../../../lib/alerting/pieces.ts";
import { noKeyText } from "../../../../../../lib/alerting/save.ts";
import { database } from "../../../../../../lib/db.ts";
import { environment } from "../../../../../../lib/env.ts";
import { requireRight } from "../../../../../../lib/session.ts";
import { alerting } from "../../../../../../lib/told.ts";
import { viewerZone } from "../../../../../../lib/zone.ts";

type Props = {
  params: Promise<{ kind: string; id: string }>;
  searchParams: Promise<Record<string, unknown>>;
};

export const metadata: Metadata = { title: "Alerting" };

const shownNotices = 12;
const listPages: Readonly<Record<string, { title: string; href: string }>> = {
  receivers: { title: "Receivers", href: "/alerting/receivers" },
  people: { title: "People and shifts", href: "/alerting/people" },
  schedules: { title: "People and shifts", href: "/alerting/people" },
  escalations: { title: "Escalations", href: "/alerting/escalations" },
  inhibitions: { title: "Limits", href: "/alerting/limits" },
};

/** One piece of the configuration: what it says, what names it, and of a receiver whether it works. */
export default async function PiecePage({ params, searchParams }: Props) {
  const { access } = await requireRight("oversee");
  const { kind, id } = await params;
  if (!isListKind(kind)) notFound();
  const { config, version } = await alerting();
  const value = pieceOf(config, kind, id) as { name: string } | null;
  if (value === null) notFound();
  const may = allows(access, "configure");
  const receiver = kind === "receivers" ? (config.receivers.find((one) => one.id === id) ?? null) : null;
  const [set, notices, zone] = await Promise.all([
    secretsSet(),
    receiver === null ? null : listNotices(database(), { receiver: id, limit: shownNotices }),
    viewerZone(),
  ]);
  const now = Date.now();
  const users = usersOf(config, kind, id);
  const isNamed = Object.hasOwn(unnamed, kind);
  const { saved } = await searchParams;
  const above = listPages[kind];
  return (
    <>
      <RememberZone zone={zone} />
      <AlertingHeader title={<bdi>{safeText(value.name, 80)}</bdi>} {...(above && { above: [above] })} />
      <h1 className="vh">
        <bdi>{safeText(value.name, 80)}</bdi>
      </h1>
      <div className={forms.columns} data-wide="first">
        <Panel
          title={receiver === null ? capital(kindWords[kind]) : typeNames[receiver.type]}
          {...(receiver === null ? {} : { sub: "receiver" })}
        >
          <div className={forms.body}>
            <PieceForm
              key={`${kind} ${id}`}
              kind={kind}
              id={id}
              version={version}
              value={value}
              choices={choicesOf(config)}
              secrets={receiver === null ? [] : secretFields(receiver, set[id] ?? [])}
              sealed={environment().secretKeys === null ? noKeyText : null}
              allowed={may}
              done={typeof saved === "string" && /^\d{1,9}$/.test(saved) ? `Added, as version ${saved}.` : null}
            />
          </div>
        </Panel>
        <div className={forms.column}>
          {receiver === null || notices === null ? null : (
            <Notices id={id} may={may} notices={notices.items} clock={{ now, zone }} />
          )}
          <Panel title={isNamed ? "Named by" : "Take it away"}>
            {users.length === 0 ? (
              <p className={forms.none}>{unnamed[kind] ?? "Nothing else names it, and earlier versions keep it."}</p>
            ) : (
              <ul className={forms.body}>
                {users.map((user) => (
                  <li key={user}>
                    <bdi>{safeText(user, 120)}</bdi>
                  </li>
                ))}
              </ul>
            )}
            {may ? (
              <div className={forms.below}>
                <RemovePiece kind={kind} id={id} name={value.name} />
              </div>
            ) : null}
          </Panel>
        </div>
      </div>
    </>
  );
}

const unnamed: Readonly<Record<string, string>> = {
  receivers: "Nothing names it yet, so nothing is sent to it but tests. Name it in a route, or as a person's.",
  people: "Nothing names this person yet. Name them in an escalation or a schedule.",
  schedules: "Nothing names it yet, so it pages nobody. Name it in a step of an escalation.",
  escalations: "Nothing names it yet, so it pages nobody. Name it in a route.",
};

const capital = (text: string) => text.charAt(0).toUpperCase() + text.slice(1);

/** What was sent to a receiver lately, and a test of it. */
function Notices(props: {
  id: string;
  may: boolean;
  notices: readonly NoticeRow[];
  clock: { now: number; zone: string };
}) {
  const { id, may, notices, clock } = props;
  const running = notices.some(({ state }) => state === "queued" || state === "sending");
  return (
    <Panel title="Does it work?" sub="what became of the last notices">
      <RefreshWhile running={running} />
      {may ? (
        <div className={forms.body}>
          <TestReceiver id={id} />
        </div>
      ) : null}
      {notices.length === 0 ? (
        <p className={forms.none}>Nothing was sent to it yet.{may ? " A test shows what it answers." : ""}</p>
      ) : (
        <table className={forms.table} aria-label="Notices">
          <tbody>
            {notices.map((notice) => {
              const outcome = noticeOutcome(notice, clock.now);
              return (
                <tr key={notice.id}>
                  <td className="nowrap">
                    <time dateTime={notice.createdAt} title={notice.createdAt}>
                      {formatTime(Date.parse(notice.createdAt), clock)}
                    </time>
                  </td>
                  <td style={{ overflowWrap: "anywhere" }}>
                    {notice.kind === "test" ? (
                      "Test"
                    ) : notice.incident === null ? (
                      <bdi>{safeText(notice.headline, 120)}</bdi>
                    ) : (
                      <Link className="link" href={`/incidents/${notice.incident}`}>
                        <bdi>{safeText(notice.headline, 120)}</bdi>
                      </Link>
                    )}
                    <small>
                      <span className={outcome.tone === "plain" ? "" : outcome.tone}>
                        <bdi>{outcome.text}</bdi>
                      </span>
                    </small>
                  </td>
                </tr>
              );
            })}
          </tbody>
        </table>
      )}
    </Panel>
  );
}
