import { formatTime, safeText } from "@lynceus/protocol/present";
import type { IncidentEvent } from "@lynceus/protocol/read-api-incidents";
import type { ReactNode } from "react";
import { Panel } from "../layout/panel.tsx";
import { StatusMark } from "../status/status-mark.tsx";
import styles from "./incidents.module.css";
import { type Clock, eventRuns, outcomeText } from "./words.ts";

/** Entries that say that it went on as before: the chart draws them. */
const quietKinds = new Set(["spread", "cause", "severity"]);

/** What of the timeline is shown at first: what was decided, told and done. */
export const shownEvents = (events: readonly IncidentEvent[], all: boolean): IncidentEvent[] =>
  events.filter(({ kind }) => all || !quietKinds.has(kind));

/** Notices and decisions, newest first; each with its reason, and a notice with what became of it. */
export function Timeline(props: {
  events: readonly IncidentEvent[];
  sub: string;
  more: ReactNode;
  /** Under the list: that there are earlier ones. */
  foot?: ReactNode;
  clock: Clock;
}) {
  const { events, sub, more, foot, clock } = props;
  return (
    <Panel title="Notices and decisions" id="timeline" sub={sub} more={more}>
      {events.length === 0 ? (
        <p className={styles.none}>Nothing is written of it.</p>
      ) : (
        <ol className={styles.timeline}>
          {events.map((event) => (
            <Entry key={event.id} event={event} clock={clock} />
          ))}
        </ol>
      )}
      {foot}
    </Panel>
  );
}

function Entry({ event, clock }: { event: IncidentEvent; clock: Clock }) {
  const note = event.kind === "note";
  const { what, why } = note ? { what: event.text, why: null } : eventRuns(event.text);
  const outcome = event.notice === null ? null : outcomeText(event.notice);
  return (
    <li>
      <time dateTime={event.at} title={event.at}>
        {formatTime(Date.parse(event.at), clock)}
      </time>
      <EventMark event={event} />
      <div>
        <bdi>
          {note ? `${event.actor === null ? "" : `${safeText(event.actor, 64)}: `}` : ""}
          {safeText(what, 2000)}
        </bdi>
        {why === null ? null : (
          <small>
            {" "}
            · <bdi>{safeText(why, 400)}</bdi>
          </small>
        )}
        {outcome === null ? null : (
          <small data-bad={outcome.bad}>
            {" "}
            · <bdi>{outcome.text}</bdi>
          </small>
        )}
      </div>
    </li>
  );
}

/** What wakes somebody, and what opens it, has the mark of a failure; all else a ring. */
function EventMark({ event }: { event: IncidentEvent }) {
  const loud =
    ["opened", "reopened", "split", "flapping"].includes(event.kind) || /^(Page|Escalation)\b/.test(event.text);
  if (loud) return <StatusMark status="failing" />;
  if (event.kind === "resolved" || event.kind === "closed") return <StatusMark status="healthy" />;
  if (event.kind === "acknowledged")
    return (
      <svg width="12" height="12" viewBox="0 0 12 12" aria-hidden="true">
        <circle cx="6" cy="6" r="3.4" fill="var(--ink3)" />
      </svg>
    );
  return (
    <svg width="12" height="12" viewBox="0 0 12 12" aria-hidden="true">
      <circle cx="6" cy="6" r="3" fill="none" stroke="var(--ink3)" strokeWidth="1.4" />
    </svg>
  );
}
