"use client";

import { formatCount } from "@lynceus/protocol/present";
import { Button, Menu, Modal, NativeSelect, Textarea } from "@mantine/core";
import { useRouter } from "next/navigation";
import { type ReactNode, useActionState, useEffect, useRef, useState } from "react";
import { actOnIncident, type IncidentActState } from "../../app/(app)/incidents/[number]/actions.ts";
import { Icon } from "../icon.tsx";
import { useCountdown } from "../use-countdown.ts";
import styles from "./incidents.module.css";
import type { MainAct } from "./words.ts";

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
  const [asked, setAsked] = useState<"close" | "note" | "hand-over" | "tell" | null>(null);
  const [state, submit, pending] = useActionState(actOnIncident, start);
  const undo = useCountdown(owner?.own ? owner.at + undoMs - now : 0, owner?.at ?? 0);
  useEffect(() => {
    if (state.turn > 0) setAsked(null);
  }, [state.turn]);
  const send = (act: string) => {
    const form = new FormData();
    form.set("number", String(number));
    form.set("act", act);
    return form;
  };
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
      <Modal
        opened={asked !== null}
        onClose={() => setAsked(null)}
        title={
          asked === "close"
            ? `Close incident ${number}`
            : asked === "note"
              ? "Write on the timeline"
              : asked === "tell"
                ? "Tell somebody now"
                : "Hand it over"
        }
      >
        {asked === null ? null : (
          <form
            className={styles.form}
            action={(form) => {
              for (const [name, value] of send(asked)) form.set(name, value);
              submit(form);
            }}
          >
            {asked === "close" && left > 0 ? (
              <p>
                {formatCount(left)} {left === 1 ? "machine still fails or is" : "machines still fail or are"} not
                verified: they stay in it. It opens again when other machines fail of the same cause.
              </p>
            ) : null}
            {asked === "close" || asked === "note" ? (
              <Textarea
                label={asked === "note" ? "Note" : left > 0 ? "Why it is closed" : "Note"}
                description={asked === "close" && left === 0 ? "May stay empty" : undefined}
                name="note"
                required={asked === "note" || left > 0}
                maxLength={2000}
                autosize
                minRows={3}
                data-autofocus
                placeholder={
                  asked === "note"
                    ? "px1 lets mail.contoso.com through without login since 03:31"
                    : "Known; fixed by Friday, NET-4410"
                }
                error={state.error ?? undefined}
              />
            ) : (
              <>
                <NativeSelect
                  label={asked === "tell" ? "Receiver" : "Person"}
                  name="to"
                  data={(asked === "tell" ? receivers : people).map(({ id, name }) => ({ value: id, label: name }))}
                  error={state.error ?? undefined}
                />
                <p className="dim">
                  {asked === "tell"
                    ? "They are told now, whatever the routes say, and hear of its end. Who has it stays the same."
                    : `They are told now, with a link to take it over. ${owner === null ? "Nobody has it" : `${owner.name} has it`} until they do.`}
                </p>
              </>
            )}
            <div className={styles.acts}>
              <Button type="submit" variant="filled" loading={pending}>
                {asked === "close" ? "Close" : asked === "note" ? "Write" : asked === "tell" ? "Tell now" : "Hand over"}
              </Button>
              <Button onClick={() => setAsked(null)}>Cancel</Button>
            </div>
          </form>
        )}
      </Modal>
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

/** A key that does something anywhere on the page; off while typing. */
function useKey(key: string, act: () => void) {
  const latest = useRef(act);
  latest.current = act;
  useEffect(() => {
    const pressed = (event: KeyboardEvent) => {
      if (event.key !== key || event.defaultPrevented || event.ctrlKey || event.metaKey || event.altKey) return;
      if (event.target instanceof HTMLElement && event.target.closest("input, textarea, select, [role=dialog]")) return;
      event.preventDefault();
      latest.current();
    };
    window.addEventListener("keydown", pressed);
    return () => window.removeEventListener("keydown", pressed);
  }, [key]);
}
