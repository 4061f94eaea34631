import { formatLatency, safeText } from "@lynceus/protocol/present";
import type { CSSProperties, ReactNode } from "react";
import { StatusMark } from "../status/status-mark.tsx";
import styles from "./evidence-chain.module.css";
import {
  type Column,
  columns,
  columnTitles,
  firstDifference,
  isBehindWall,
  type Lane,
  type LaneStep,
  type StepState,
  stateWord,
} from "./lane.ts";

export interface ChainNote {
  /** "Control works", "Not Exchange", "Cannot be seen". */
  lead: string;
  text: string;
  mark?: "healthy" | "failing" | "cannot-tell";
}

/** The line of sight from a machine to Exchange, one lane a route (interface section 7). Server-rendered, no script. */
export function EvidenceChain({
  heading = "Evidence chain",
  subtitle,
  nav,
  lanes,
  notes,
  dimmed = false,
}: {
  heading?: string;
  subtitle: ReactNode;
  nav?: ReactNode;
  lanes: readonly Lane[];
  notes: readonly ChainNote[];
  /** Drawn as last seen: the machine is stale. */
  dimmed?: boolean;
}) {
  const difference = firstDifference(lanes);
  return (
    <section className={dimmed ? `${styles.panel} ${styles.dimmed}` : styles.panel} aria-label={heading}>
      <div className={styles.head}>
        <h2>{heading}</h2>
        <span className={styles.sub}>{subtitle}</span>
        {nav ? <nav className={styles.more}>{nav}</nav> : null}
      </div>
      <div className={styles.grid} style={{ "--lanes": lanes.length } as CSSProperties}>
        {difference ? (
          <div
            className={styles.tint}
            style={{ "--column": columns.indexOf(difference) + 2 } as CSSProperties}
            data-first-difference={difference}
          />
        ) : null}
        <div className={styles.heads} aria-hidden="true">
          <div />
          {columns.map((column) =>
            column === difference ? (
              <div key={column} className={styles.diff}>
                {columnTitles[column]}
                <small>first difference</small>
              </div>
            ) : (
              <div key={column}>{columnTitles[column]}</div>
            ),
          )}
          <div>Answer</div>
        </div>
        {lanes.map((lane) => (
          <LaneRow key={lane.id} lane={lane} difference={difference} />
        ))}
      </div>
      <label className={styles.reveal}>
        <input type="checkbox" />
        Show details and times
      </label>
      {notes.length > 0 ? (
        <ul className={styles.note}>
          {notes.map((note) => (
            <li key={`${note.lead}${note.text}`}>
              {note.mark ? <StatusMark status={note.mark} size={10} /> : null}
              <b>{note.lead}</b> <bdi>{safeText(note.text)}</bdi>
            </li>
          ))}
        </ul>
      ) : null}
    </section>
  );
}

function LaneRow({ lane, difference }: { lane: Lane; difference: Column | null }) {
  return (
    // biome-ignore lint/a11y/useSemanticElements: a fieldset would be announced as a form.
    <div className={styles.lane} role="group" aria-label={lane.title}>
      <div className={styles.title}>
        <b>{lane.title}</b>
        {lane.subtitles.map((line) => (
          <span key={line}>
            <bdi>{safeText(line)}</bdi>
          </span>
        ))}
      </div>
      <ol className={styles.steps}>
        {lane.steps.map((step, i) => (
          <Step key={step.column} step={step} dark={isBehindWall(lane.steps, i)} first={step.column === difference} />
        ))}
      </ol>
      <div className={styles.answer}>
        <b>
          <AnswerMark mark={lane.answer.mark} />
          {lane.answer.text}
        </b>
        {lane.answer.details.map((line) => (
          <span key={line}>
            <bdi>{safeText(line)}</bdi>
          </span>
        ))}
      </div>
    </div>
  );
}

function Step({ step, dark, first }: { step: LaneStep; dark: boolean; first: boolean }) {
  const spoken =
    `${columnTitles[step.column]}: ${step.column === "route" ? "" : `${stateWord(step.state)}, `}` +
    `${safeText(step.value)}${step.ms === null ? "" : `, ${formatLatency(step.ms)}`}${first ? ", first difference" : ""}`;
  return (
    <li
      className={[styles.step, ...classesOf(step.state, dark)].join(" ")}
      data-step={step.column}
      data-state={step.state}
      title={step.hint ?? undefined}
    >
      <span className="vh">{spoken}</span>
      <div className={styles.rail} aria-hidden="true">
        {markOf(step, dark)}
        {step.ms === null ? null : <span className={styles.ms}>{formatLatency(step.ms)}</span>}
      </div>
      <span className={styles.value} aria-hidden="true">
        <bdi>{safeText(step.value)}</bdi>
      </span>
      {step.details.map((line) => (
        <span key={line} className={styles.detail}>
          <bdi>{safeText(line)}</bdi>
        </span>
      ))}
    </li>
  );
}

function classesOf(state: StepState, dark: boolean): (string | undefined)[] {
  switch (state) {
    case "failed":
      return [styles.failed];
    case "failed-expected":
      return [styles.expected];
    case "slow":
      return [styles.slow];
    case "not-reached":
      return [styles.dotted, styles.quiet];
    case "not-applicable":
      return dark ? [styles.dotted, styles.quiet] : [styles.quiet];
    default:
      return dark ? [styles.dotted] : [];
  }
}

function markOf(step: LaneStep, dark: boolean): ReactNode {
  if (step.state === "failed" || step.state === "failed-expected") return null;
  return (
    <svg width="14" height="14" viewBox="0 0 14 14" aria-hidden="true">
      {step.column === "route" ? (
        <rect x="2" y="2" width="10" height="10" rx="2" fill="var(--panel)" stroke="var(--ink)" strokeWidth="1.7" />
      ) : step.state === "not-reached" ? (
        <circle cx="7" cy="7" r="4" fill="var(--panel)" stroke="var(--line2)" strokeWidth="1.5" strokeDasharray="2 2" />
      ) : step.state === "not-applicable" ? (
        <circle
          cx="7"
          cy="7"
          r="3"
          fill="var(--panel)"
          stroke={dark ? "var(--line2)" : "var(--ok-fill)"}
          strokeWidth={dark ? 1.5 : 2}
        />
      ) : step.state === "slow" ? (
        <>
          <circle cx="7" cy="7" r="5.2" fill="var(--panel)" stroke="var(--stale)" strokeWidth="1.4" />
          <path d="M7 4v3.2l2.2 1.3" fill="none" stroke="var(--stale)" strokeWidth="1.5" />
        </>
      ) : (
        <circle cx="7" cy="7" r="5" fill="var(--ok-fill)" />
      )}
    </svg>
  );
}

function AnswerMark({ mark }: { mark: Lane["answer"]["mark"] }) {
  return <StatusMark status={mark === "off" ? "signed-off" : mark} size={12} />;
}
