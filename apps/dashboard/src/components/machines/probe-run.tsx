"use client";

import { formatCount, formatDuration } from "@lynceus/protocol/present";
import { useEffect, useState } from "react";
import type { VerificationAnswer } from "../../lib/verification-answer.ts";
import styles from "./machines.module.css";

/** How often a run is asked about (ms). */
const pollMs = 2_000;

/** How a probe of many machines stands, until all have answered or the last has had its time. */
export function ProbeRun({ id, onOver }: { id: string; onOver: () => void }) {
  const [answer, setAnswer] = useState<VerificationAnswer["verification"] | null>(null);
  useEffect(() => {
    let timer: ReturnType<typeof setTimeout> | undefined;
    let over = false;
    const ask = async () => {
      const response = await fetch(`/api/verifications/${id}`, { cache: "no-store" }).catch(() => null);
      if (over) return;
      if (response?.ok) setAnswer(((await response.json()) as VerificationAnswer).verification);
      else if (response?.status === 404) onOver();
      timer = setTimeout(() => void ask(), pollMs);
    };
    void ask();
    return () => {
      over = true;
      clearTimeout(timer);
    };
  }, [id, onOver]);

  if (answer === null) return null;
  const { counts, machines, machinesPerSecond, state } = answer;
  const answered = counts.fixed + counts.still + counts.other + counts["cannot-tell"];
  const left = counts.waiting + counts.asked;
  const cancel = async () => {
    await fetch(`/api/verifications/${id}/cancel`, { method: "POST" }).catch(() => null);
    onOver();
  };
  return (
    <span className={styles.probing} role="status">
      {state === "running" ? "Probing" : "Probed"} {formatCount(machines)}: <b>{formatCount(answered)} answered</b>
      {counts.unreachable > 0 ? `, ${formatCount(counts.unreachable)} did not` : ""}
      {left > 0 && machinesPerSecond
        ? `, ${formatCount(left)} to go, at least ${formatDuration((counts.waiting / machinesPerSecond) * 1000)}`
        : left > 0
          ? `, ${formatCount(left)} to go`
          : ""}{" "}
      <button type="button" className={styles.inline} onClick={state === "running" ? () => void cancel() : onOver}>
        {state === "running" ? "Stop" : "Close"}
      </button>
    </span>
  );
}
