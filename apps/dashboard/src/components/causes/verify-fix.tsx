"use client";

import { formatCount, formatTime, safeText } from "@lynceus/protocol/present";
import { Button } from "@mantine/core";
import Link from "next/link";
import { useRouter } from "next/navigation";
import { type ReactNode, useCallback, useEffect, useRef, useState } from "react";
import type { VerificationAnswer } from "../../lib/verification-answer.ts";
import { Icon } from "../icon.tsx";
import { Panel } from "../layout/panel.tsx";
import { machineHref } from "../machines/links.ts";
import { type MarkStatus, StatusMark } from "../status/status-mark.tsx";
import { useKey } from "../use-key.ts";
import styles from "./causes.module.css";
import { stateWords, Waffle } from "./waffle.tsx";

/** How often a verification that runs is asked about (ms). */
const pollMs = 1_000;

const marks: Partial<Record<VerificationAnswer["left"][number]["state"], MarkStatus>> = {
  still: "failing",
  "cannot-tell": "cannot-tell",
  unreachable: "stale",
};

/** Probes every member again now, and shows 347 → 3 as it happens. */
export function VerifyFix(props: {
  /** Who is probed: a shared cause's machines, or those of a filter. */
  cohort: { causeId: string } | { q: string };
  /** Machines that are in it now. */
  members: number;
  first: VerificationAnswer | null;
  allowed: boolean;
  now: number;
  zone: string;
  /** True where the page's head has the button that starts it. */
  headed?: boolean;
  /** Where its machines stand, as long as none was asked. */
  children?: ReactNode;
}) {
  const { cohort, members, first, allowed, now, zone, headed = false, children } = props;
  const router = useRouter();
  const [answer, setAnswer] = useState(first);
  const [failed, setFailed] = useState<string | null>(null);
  const [starting, setStarting] = useState(false);
  const alive = useRef(true);
  const id = answer?.verification.id ?? null;
  const running = answer?.verification.state === "running";

  // Somebody else may have started one: the page then brings it.
  useEffect(() => {
    if (first !== null && first.verification.id !== id) setAnswer(first);
  }, [first, id]);

  useEffect(() => {
    alive.current = true;
    return () => {
      alive.current = false;
    };
  }, []);

  useEffect(() => {
    if (id === null || !running) return;
    let timer: ReturnType<typeof setTimeout> | undefined;
    const ask = async () => {
      try {
        const response = await fetch(`/api/verifications/${id}`, { cache: "no-store" });
        if (!response.ok) throw new Error(`The dashboard answered ${response.status}.`);
        const next = (await response.json()) as VerificationAnswer;
        if (!alive.current) return;
        setFailed(null);
        setAnswer(next);
        if (next.verification.state !== "running") {
          router.refresh();
          return;
        }
      } catch {
        if (alive.current) setFailed("Not live: how it stands could not be read. It goes on without this page.");
      }
      timer = setTimeout(() => void ask(), pollMs);
    };
    timer = setTimeout(() => void ask(), pollMs);
    return () => clearTimeout(timer);
  }, [id, running, router]);

  const post = useCallback(async (address: string, body: unknown) => {
    setFailed(null);
    setStarting(true);
    try {
      const response = await fetch(address, {
        method: "POST",
        headers: { "content-type": "application/json" },
        body: JSON.stringify(body),
      });
      const said = (await response.json()) as VerificationAnswer & { error?: { message: string } };
      if (!response.ok) throw new Error(said.error?.message ?? `The dashboard answered ${response.status}.`);
      setAnswer(said);
    } catch (error) {
      setFailed(error instanceof Error ? error.message : "It could not be asked for.");
    } finally {
      setStarting(false);
    }
  }, []);
  const start = () => void post("/api/verifications", cohort);

  useKey("v", () => {
    if (allowed && !running && !starting && members > 0) start();
  });

  const verification = answer?.verification ?? null;
  return (
    <Panel
      title="Verify fix"
      sub={
        verification === null
          ? "every member is probed again, at a rate that Exchange may see"
          : `started ${formatTime(Date.parse(verification.createdAt), { now, zone })} by ${safeText(verification.createdBy)}`
      }
    >
      {verification === null || answer === null ? children : <Standing answer={answer} now={now} zone={zone} />}
      {failed === null ? null : (
        <p className={`${styles.note} ${styles.error}`} role="alert">
          {failed}
        </p>
      )}
      <div className={styles.act}>
        {running && id !== null ? (
          <Button
            onClick={() => void post(`/api/verifications/${id}/cancel`, {})}
            disabled={!allowed}
            loading={starting}
          >
            Stop
          </Button>
        ) : headed ? null : (
          <Button
            variant="filled"
            leftSection={<Icon name="probe" />}
            onClick={start}
            loading={starting}
            disabled={!allowed || members === 0}
          >
            {verification === null ? "Verify fix" : "Verify again"}
          </Button>
        )}
        <p>
          {!allowed
            ? "Your role may not ask machines to probe."
            : members === 0
              ? "No machine has it now: there is nobody to ask."
              : verification === null
                ? `Asks ${formatCount(members)} ${members === 1 ? "machine" : "machines"} to probe again now. Those that are away are asked when they return, for 30 min.`
                : running
                  ? "Machines that are away are asked when they return, until the deadline."
                  : null}
        </p>
      </div>
    </Panel>
  );
}

function Standing({ answer, now, zone }: { answer: VerificationAnswer; now: number; zone: string }) {
  const { verification, sites, left } = answer;
  const { counts, machines, remaining } = verification;
  const open = counts.waiting + counts.asked;
  return (
    <>
      <div className={styles.figures} aria-live="polite">
        <strong className="figure">
          {formatCount(machines)} → <em data-zero={remaining === 0}>{formatCount(remaining)}</em>
        </strong>
        <p>
          {[
            `${formatCount(counts.fixed)} reach Exchange again`,
            counts.other > 0 ? `${formatCount(counts.other)} fail for another cause` : null,
            counts.still > 0 ? `${formatCount(counts.still)} still fail` : null,
            counts["cannot-tell"] > 0 ? `${formatCount(counts["cannot-tell"])} cannot be told` : null,
            counts.unreachable > 0 ? `${formatCount(counts.unreachable)} did not answer` : null,
            open > 0 ? `${formatCount(open)} to come` : null,
          ]
            .filter((part) => part !== null)
            .join(", ")}
          .{" "}
          {verification.state === "running"
            ? verification.machinesPerSecond === null
              ? "Waiting for the first answer."
              : `Asks ${Number(verification.machinesPerSecond.toPrecision(2))} machines a second; until ${formatTime(Date.parse(verification.deadline), { now, zone })}.`
            : verification.state === "cancelled"
              ? "Stopped before all were asked."
              : `Ended ${formatTime(verification.finishedAt === null ? null : Date.parse(verification.finishedAt), { now, zone })}.`}
        </p>
      </div>
      <Waffle sites={sites} />
      {open > 0 ? null : (
        <ul className={styles.list}>
          {left.map((machine) => (
            <li key={machine.machineId}>
              <span className={styles.marked}>
                <StatusMark status={marks[machine.state] ?? "cannot-tell"} />
                <Link className="mono" href={machineHref(machine.machineId)} prefetch={false}>
                  <bdi>{safeText(machine.hostname)}</bdi>
                </Link>
              </span>
              <small>
                {stateWords[machine.state]}
                {machine.primaryPattern === null ? "" : `; ${machine.primaryPattern}`}
              </small>
            </li>
          ))}
          {remaining > left.length && left.length > 0 ? (
            <li>
              <small>and {formatCount(remaining - left.length)} more</small>
            </li>
          ) : null}
        </ul>
      )}
    </>
  );
}
