"use client";

import { Button } from "@mantine/core";
import { useRouter } from "next/navigation";
import { useEffect, useRef, useState } from "react";
import { Icon } from "../icon.tsx";
import { useKey } from "../use-key.ts";
import styles from "./machine.module.css";

/** What `GET /api/machines/:id/check-now?command=` says of a probe that was asked for. */
export interface CheckProgress {
  state: "queued" | "sent" | "started" | "progress" | "done" | "refused" | "expired";
  done: number;
  total: number;
  reason: string | null;
}

const pollMs = 700;

/** Words for the state of the asked probe; null while nothing was asked. */
export function progressText(progress: CheckProgress | null): string | null {
  if (progress === null) return null;
  switch (progress.state) {
    case "queued":
      return "Waiting for the machine's collector";
    case "sent":
      return "Sent to the machine";
    case "started":
    case "progress":
      return progress.total > 0 ? `Probing, ${progress.done} of ${progress.total}` : "Probing";
    case "done":
      return progress.total > 0 ? `Probed, ${progress.total} of ${progress.total}` : "Probed";
    case "refused":
      return `Not probed: ${progress.reason ?? "the machine refused"}`;
    case "expired":
      return "Not probed: the machine did not answer in time";
  }
}

/** Asks the machine to probe now, and shows how far it is, in place. `p` does the same. */
export function ProbeNow({ machineId, allowed, why }: { machineId: string; allowed: boolean; why: string | null }) {
  const router = useRouter();
  const [progress, setProgress] = useState<CheckProgress | null>(null);
  const [failed, setFailed] = useState<string | null>(null);
  const alive = useRef(true);
  useEffect(() => {
    alive.current = true;
    return () => {
      alive.current = false;
    };
  }, []);
  const busy = progress !== null && !["done", "refused", "expired"].includes(progress.state);

  const ask = async () => {
    if (busy || !allowed) return;
    setFailed(null);
    setProgress({ state: "queued", done: 0, total: 0, reason: null });
    try {
      const address = `/api/machines/${encodeURIComponent(machineId)}/check-now`;
      const asked = await fetch(address, { method: "POST" });
      const body = (await asked.json()) as { id?: string; commandId?: string; error?: { message: string } };
      const command = body.id ?? body.commandId;
      if (!asked.ok || !command) throw new Error(body.error?.message ?? `The dashboard answered ${asked.status}.`);
      for (;;) {
        await new Promise((resolve) => setTimeout(resolve, pollMs));
        if (!alive.current) return;
        const answer = await fetch(`${address}?command=${encodeURIComponent(command)}`);
        if (!answer.ok) throw new Error(`The dashboard answered ${answer.status}.`);
        const now = (await answer.json()) as CheckProgress;
        setProgress(now);
        if (["done", "refused", "expired"].includes(now.state)) break;
      }
      router.refresh();
    } catch (error) {
      setProgress(null);
      setFailed(error instanceof Error ? error.message : "The probe could not be asked for.");
    }
  };

  useKey("p", () => void ask());

  const text = failed ?? progressText(progress) ?? (allowed ? null : why);
  const share = progress && progress.total > 0 ? progress.done / progress.total : 0;
  return (
    <span className={styles.probe}>
      <span className={styles.progress} aria-live="polite" data-failed={failed !== null}>
        {text}
        {busy ? <i style={{ width: `${Math.round(share * 100)}%` }} /> : null}
      </span>
      <Button
        variant="filled"
        leftSection={<Icon name="probe" />}
        onClick={() => void ask()}
        disabled={!allowed}
        aria-busy={busy}
      >
        {busy ? "Probing" : "Probe now"}
      </Button>
    </span>
  );
}
