import { currentAlerting } from "@lynceus/db/alerting";
import { supportedFields } from "@lynceus/db/machines-filter";
import { zonedAt } from "@lynceus/incidents/wall-clock";
import { allows } from "@lynceus/protocol/access";
import { alertMachineFields } from "@lynceus/protocol/alert-filter";
import type { Maintenance } from "@lynceus/protocol/alerting";
import { formatCount, safeText } from "@lynceus/protocol/present";
import { Button } from "@mantine/core";
import type { Metadata } from "next";
import Link from "next/link";
import { ConfirmButton } from "../../../../components/confirm-button.tsx";
import forms from "../../../../components/forms/forms.module.css";
import incidents from "../../../../components/incidents/incidents.module.css";
import { PageHeader } from "../../../../components/layout/page-header.tsx";
import { Panel } from "../../../../components/layout/panel.tsx";
import { RememberZone } from "../../../../components/machines/remember-zone.tsx";
import { Calendar } from "../../../../components/maintenance/calendar.tsx";
import styles from "../../../../components/maintenance/maintenance.module.css";
import { monthOf, neighbour, nextOf, weeksOf } from "../../../../components/maintenance/month.ts";
import { WindowForm } from "../../../../components/maintenance/window-form.tsx";
import { ruleText } from "../../../../components/maintenance/words.ts";
import { momentText } from "../../../../components/moment.ts";
import { MatchTokens } from "../../../../components/silences/match-tokens.tsx";
import { MutingTabs } from "../../../../components/silences/muting-tabs.tsx";
import { database } from "../../../../lib/db.ts";
import { requireRight } from "../../../../lib/session.ts";
import { emptyWindow, valuesOf } from "../../../../lib/window-input.ts";
import { viewerZone, zoneName } from "../../../../lib/zone.ts";
import { removeWindow } from "./actions.ts";

export const metadata: Metadata = { title: "Maintenance" };

const fields = alertMachineFields.filter((field) => supportedFields.includes(field));

/** When is nobody told by plan, and of which machines? */
export default async function MaintenancePage({ searchParams }: { searchParams: Promise<Record<string, unknown>> }) {
  const { access } = await requireRight("oversee");
  const zone = await viewerZone();
  const search = await searchParams;
  const now = Date.now();
  const clock = { now, zone };
  const { config, version } = await currentAlerting(database());
  const windows = config.maintenance
    .map((window) => ({ window, next: nextOf(window, now) }))
    .sort((a, b) => (a.next?.from ?? Number.POSITIVE_INFINITY) - (b.next?.from ?? Number.POSITIVE_INFINITY));
  const running = windows.filter(({ next }) => next !== null && next.from <= now);
  const coming = windows.find(({ next }) => next !== null && next.from > now);
  const month = monthOf(search.month, now, zone);
  const edited = config.maintenance.find(({ id }) => id === search.edit) ?? null;
  const configure = allows(access, "configure");
  const href = (query: Record<string, string>) => `/maintenance?${new URLSearchParams(query)}`;
  const first = edited === null ? emptyWindow(zone) : valuesOf(edited);
  return (
    <>
      <RememberZone zone={zone} />
      <PageHeader title="Maintenance" above={[{ title: "Silences", href: "/silences" }]} asOf={now} />
      <h1 className={incidents.lede}>
        {running.length === 0
          ? "No maintenance is under way."
          : `${running
              .map(({ window }) => safeText(window.name, 60))
              .slice(0, 3)
              .join(", ")}${running.length > 3 ? ` and ${formatCount(running.length - 3)} more` : ""}: under way.`}{" "}
        <span className={incidents.quiet}>
          {coming?.next
            ? `Next: ${safeText(coming.window.name, 60)}, ${momentText(coming.next.from, clock)}.`
            : "None is planned."}{" "}
          What fails in a window tells nobody; at its end only what still fails is told.
        </span>
      </h1>
      <MutingTabs access={access} current="maintenance" />
      <div className={forms.columns} data-wide="first">
        <div className={forms.column}>
          <Panel
            title={monthTitle(month)}
            sub={zoneName(zone, now)}
            more={
              <span className={styles.nav}>
                <Link className="link" href={href({ month: neighbour(month, -1) })} aria-label="The month before">
                  ← Before
                </Link>
                <Link className="link" href="/maintenance">
                  Today
                </Link>
                <Link className="link" href={href({ month: neighbour(month, 1) })} aria-label="The next month">
                  Next →
                </Link>
              </span>
            }
          >
            <Calendar
              weeks={weeksOf(month, config.maintenance, zone)}
              today={zonedAt(now, zone).toPlainDate().toString()}
              clock={clock}
              href={(id) => `${href({ month, edit: id })}#window`}
            />
          </Panel>
          <Panel title="Windows" sub={formatCount(windows.length)}>
            {windows.length === 0 ? (
              <p className={forms.none}>None yet. A planned window keeps a reboot on Sunday from waking anybody.</p>
            ) : (
              <ul className={styles.list}>
                {windows.map(({ window, next }) => (
                  <Row
                    key={window.id}
                    window={window}
                    next={next}
                    saved={search.saved === window.id}
                    month={month}
                    editHref={configure ? `${href({ month, edit: window.id })}#window` : null}
                    clock={clock}
                  />
                ))}
              </ul>
            )}
          </Panel>
        </div>
        {configure ? (
          <Panel
            title={edited === null ? "New window" : "Edit window"}
            id="window"
            {...(edited === null
              ? {}
              : {
                  className: styles.asked ?? "",
                  more: (
                    <Link className="link" href={href({ month })}>
                      New one
                    </Link>
                  ),
                })}
          >
            <div className={forms.body}>
              <WindowForm
                key={`${first.id} ${typeof search.saved === "string" ? search.saved : ""}`}
                first={first}
                base={version}
                month={month}
                fields={fields}
                zones={Intl.supportedValuesOf("timeZone")}
              />
            </div>
          </Panel>
        ) : (
          <Panel title="Who plans it">
            <p className={forms.none}>
              An admin of the whole fleet adds and edits windows; a silence is made by operators.
            </p>
          </Panel>
        )}
      </div>
    </>
  );
}

const monthTitle = (month: string) =>
  new Intl.DateTimeFormat("en-GB", { timeZone: "UTC", month: "long", year: "numeric" }).format(
    Date.parse(`${month}-01T12:00:00Z`),
  );

function Row(props: {
  window: Maintenance;
  next: { from: number; to: number } | null;
  saved: boolean;
  month: string;
  /** Null for who may not. */
  editHref: string | null;
  clock: { now: number; zone: string };
}) {
  const { window, next, saved, month, editHref, clock } = props;
  const { name, match, zone, validFrom, validUntil, note } = window;
  const limits = [validFrom === null ? null : `from ${validFrom}`, validUntil === null ? null : `until ${validUntil}`]
    .filter((part) => part !== null)
    .join(" ");
  return (
    <li data-over={next === null} {...(saved ? { className: "changed" } : {})}>
      <div className={styles.head}>
        <b>
          <bdi>{safeText(name, 120)}</bdi>
        </b>
        <span className="dim">
          {next === null
            ? "over"
            : next.from <= clock.now
              ? `under way until ${momentText(next.to, clock)}`
              : `next ${momentText(next.from, clock)} to ${momentText(next.to, clock)}`}
        </span>
      </div>
      <div>
        {ruleText(window)}, {zone}
        {limits === "" ? null : `, ${limits}`}
      </div>
      <MatchTokens match={match} />
      {note === "" ? null : (
        <small>
          <bdi>{safeText(note, 500)}</bdi>
        </small>
      )}
      {editHref === null ? null : (
        <div className={styles.acts}>
          <Button component="a" href={editHref} aria-label={`Edit: ${safeText(name, 60)}`}>
            Edit
          </Button>
          <form action={removeWindow}>
            <input type="hidden" name="id" value={window.id} />
            <input type="hidden" name="month" value={month} />
            <ConfirmButton label="Remove" again="Remove now" describes={safeText(name, 60)} />
          </form>
        </div>
      )}
    </li>
  );
}
