"use client";

import { type FormEvent, useCallback, useEffect, useRef, useState } from "react";
import styles from "./phone.module.css";

/** While it waits for a connection, it tries again this often (ms): `online` is not told everywhere. */
const againMs = 5_000;

/**
 * The one main button, as a plain form that works before any script runs. With scripts it does not leave the page: what
 * could not be sent waits, says so, and is sent when there is a connection; until then nothing is acknowledged.
 */
export function AcknowledgeForm(props: {
  action: string;
  act: string;
  token: string | null;
  label: string;
  back: string;
}) {
  const { action, act, token, label, back } = props;
  const [state, setState] = useState<"idle" | "sending" | "waiting">("idle");
  const [refused, setRefused] = useState<string | null>(null);
  const form = useRef<HTMLFormElement>(null);

  const send = useCallback(async () => {
    if (form.current === null) return;
    setState("sending");
    try {
      const answer = await fetch(action, {
        method: "POST",
        headers: { accept: "application/json" },
        body: new FormData(form.current),
      });
      if (answer.status === 401) {
        // The session is over: the plain form leads to the sign-in and back here.
        form.current.submit();
        return;
      }
      if (answer.ok) {
        window.location.replace(back);
        return;
      }
      const body = (await answer.json().catch(() => null)) as { error?: { message: string } } | null;
      setRefused(body?.error?.message ?? `The dashboard answered ${answer.status}.`);
      setState("idle");
    } catch {
      setState("waiting");
    }
  }, [action, back]);

  useEffect(() => {
    if (state !== "waiting") return;
    const again = () => void send();
    const timer = setTimeout(again, againMs);
    window.addEventListener("online", again);
    return () => {
      clearTimeout(timer);
      window.removeEventListener("online", again);
    };
  }, [state, send]);

  const submitted = (event: FormEvent) => {
    event.preventDefault();
    setRefused(null);
    if (navigator.onLine) void send();
    else setState("waiting");
  };
  return (
    <>
      <form ref={form} method="post" action={action} onSubmit={submitted}>
        <input type="hidden" name="act" value={act} />
        {token === null ? null : <input type="hidden" name="k" value={token} />}
        <button type="submit" className={styles.button} data-main="true" disabled={state !== "idle"}>
          {state === "waiting" ? "Will be sent when connected" : state === "sending" ? "Sending" : label}
        </button>
      </form>
      {state === "waiting" ? (
        <p className={styles.note} role="status">
          No connection. It is not acknowledged yet; keep this page open.
        </p>
      ) : null}
      {refused === null ? null : (
        <p className={styles.note} data-bad="true" role="alert">
          {refused}
        </p>
      )}
    </>
  );
}
