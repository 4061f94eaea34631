"use client";

import { Button, Menu } from "@mantine/core";
import dynamic from "next/dynamic";
import { useRouter } from "next/navigation";
import { type ReactNode, useActionState, useEffect, useRef, useState } from "react";
import { actOnIncident, type IncidentActState } from "../../app/(app)/incidents/[number]/actions.ts";
import { Icon } from "../icon.tsx";
import { useCountdown } from "../use-countdown.ts";
import { useKey } from "../use-key.ts";
import type { AskedAct } from "./acts-dialog.tsx";
import styles from "./incidents.module.css";
import type { MainAct } from "./words.ts";

/** Dialogs with their fields are loaded when somebody opens one. */
const ActsDialog = dynamic(() => import("./acts-dialog.tsx").then((file) => file.ActsDialog), { ssr: false });

const start: IncidentActState = { error: null, turn: 0 };
/** How long an acknowledgement can be taken back by one key (ms). */
const undoMs = 10_000;

export interface ActsProps {
  number: number;
  main: MainAct | null;
  /** Who has it; null: nobody. */
  owner: { name: string; at: number; own: boolean } | null;
  over: boolean;
  /** Whether this person's role lets them. */
  allowed: boolean;
  /** Members that fail, or are not verified. */
  left: number;
  /** Members that a verification would ask. */
  members: number;
  /** Whether a verification was made before. */
  again: boolean;
  people: readonly { id: string; name: string }[];
  receivers: readonly { id: string; name: string }[];
  silenceHref: string;
  now: number;
}

/** The acts on an incident. The one filled button follows its state: Acknowledge → Verify fix → Close. */
export function IncidentActs(props: ActsProps) {
  const { number, main, owner, over, allowed, left, members, again, people, receivers, silenceHref, now } = props;
  const [asked, setAsked] = useState<AskedAct | null>(null);
  const [state, submit, pending] = useActionState(actOnIncident, start);
  const undo = useCountdown(owner?.own ? owner.at + undoMs - now : 0, owner?.at ?? 0);
  useEffect(() => {
    if (state.turn > 0) setAsked(null);
  }, [state.turn]);
  const main_ = useRef<HTMLButtonElement>(null);
  useKey("a", () => main === "acknowledge" && main_.current?.click());

  const button = (act: string, label: ReactNode, filled = false) => (
    <form action={submit} key={act}>
      <input type="hidden" name="number" value={number} />
      <input type="hidden" name="act" value={act} />
      <Button
        type="submit"
        variant={filled ? "filled" : "default"}
        disabled={!allowed}
        loading={pending}
        {...(filled ? { ref: main_ } : {})}
      >
        {label}
      </Button>
    </form>
  );
  const more = [
    { what: "note", label: "Note…", shown: true },
    { what: "tell", label: "Tell…", shown: !over && receivers.length > 0 },
    { what: "hand-over", label: "Hand over…", shown: !over && people.length > 0 },
    { what: "close", label: "Close…", shown: main === "acknowledge" || main === "verify" },
  ] as const;
  return (
    <>
      <Menu position="bottom-end">
        <Menu.Target>
          <Button variant="subtle" disabled={!allowed} rightSection={<Icon name="down" />}>
            More
          </Button>
        </Menu.Target>
        <Menu.Dropdown>
          {more
            .filter(({ shown }) => shown)
            .map(({ what, label }) => (
              <Menu.Item key={what} onClick={() => setAsked(what)}>
                {label}
              </Menu.Item>
            ))}
        </Menu.Dropdown>
      </Menu>
      {over ? null : (
        <>
          <Button component="a" href={silenceHref} {...(allowed ? {} : { "data-disabled": true })}>
            Silence…
          </Button>
          {owner === null
            ? null
            : owner.own
              ? button("release", undo > 0 ? `Undo ${undo} s` : "Release")
              : button("take-over", "Take over")}
          <span className={styles.main}>
            {main === "acknowledge" ? button("acknowledge", "Acknowledge", true) : null}
            {main === "verify" ? (
              <VerifyButton number={number} members={members} again={again} allowed={allowed} />
            ) : null}
            {main === "close"
              ? left === 0
                ? button("close", "Close", true)
                : opener("close", "Close…", "filled")
              : null}
          </span>
        </>
      )}
      {state.error !== null && asked === null ? (
        <p className={styles.said} role="alert">
          {state.error}
        </p>
      ) : null}
      {asked === null ? null : (
        <ActsDialog
          act={asked}
          {...{ number, left, people, receivers, owner, pending, submit }}
          error={state.error}
          onClose={() => setAsked(null)}
        />
      )}
    </>
  );
}

/** Probes every member again; how it goes is shown in the panel. `v` does the same. */
function VerifyButton(props: { number: number; members: number; again: boolean; allowed: boolean }) {
  const { number, members, again, allowed } = props;
  const router = useRouter();
  const [failed, setFailed] = useState<string | null>(null);
  const [asking, setAsking] = useState(false);
  const ask = async () => {
    setAsking(true);
    setFailed(null);
    try {
      const answer = await fetch("/api/verifications", {
        method: "POST",
        headers: { "content-type": "application/json" },
        body: JSON.stringify({ q: `incident:${number}` }),
      });
      const body = (await answer.json()) as { error?: { message: string } };
      if (!answer.ok) throw new Error(body.error?.message ?? `The dashboard answered ${answer.status}.`);
      router.refresh();
    } catch (error) {
      setFailed(error instanceof Error ? error.message : "It could not be asked for.");
    } finally {
      setAsking(false);
    }
  };
  useKey("v", () => {
    if (allowed && members > 0 && !asking) void ask();
  });
  return (
    <>
      <Button
        variant="filled"
        leftSection={<Icon name="probe" />}
        disabled={!allowed || members === 0}
        loading={asking}
        onClick={() => void ask()}
      >
        {again ? "Verify again" : "Verify fix"}
      </Button>
      {failed === null ? null : (
        <p className={styles.said} role="alert">
          {failed}
        </p>
      )}
    </>
  );
}
