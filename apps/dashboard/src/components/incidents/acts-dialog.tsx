"use client";

import { formatCount } from "@lynceus/protocol/present";
import { Button, Modal, NativeSelect, Textarea } from "@mantine/core";
import type { ActsProps } from "./acts.tsx";
import styles from "./incidents.module.css";

/** An act that asks for something first. */
export type AskedAct = "close" | "note" | "hand-over" | "tell";

const titles = {
  note: "Write on the timeline",
  tell: "Tell somebody now",
  "hand-over": "Hand it over",
} as const;
const buttons = { close: "Close", note: "Write", tell: "Tell now", "hand-over": "Hand over" } as const;

/** Asks for what an act needs: a note, or a person. */
export function ActsDialog(
  props: Pick<ActsProps, "number" | "left" | "people" | "receivers" | "owner"> & {
    act: AskedAct;
    pending: boolean;
    error: string | null;
    submit: (form: FormData) => void;
    onClose: () => void;
  },
) {
  const { act, number, left, people, receivers, owner, pending, error, submit, onClose } = props;
  return (
    <Modal opened onClose={onClose} title={act === "close" ? `Close incident ${number}` : titles[act]}>
      <form className={styles.form} action={submit}>
        <input type="hidden" name="number" value={number} />
        <input type="hidden" name="act" value={act} />
        {act === "close" && left > 0 ? (
          <p>
            {formatCount(left)} {left === 1 ? "machine still fails or is" : "machines still fail or are"} not verified:
            they stay in it. It opens again when other machines fail of the same cause.
          </p>
        ) : null}
        {act === "close" || act === "note" ? (
          <Textarea
            label={act === "note" ? "Note" : left > 0 ? "Why it is closed" : "Note"}
            description={act === "close" && left === 0 ? "May stay empty" : undefined}
            name="note"
            required={act === "note" || left > 0}
            maxLength={2000}
            autosize
            minRows={3}
            data-autofocus
            placeholder={
              act === "note"
                ? "px1 lets mail.contoso.com through without login since 03:31"
                : "Known; fixed by Friday, NET-4410"
            }
            error={error ?? undefined}
          />
        ) : (
          <>
            <NativeSelect
              label={act === "tell" ? "Receiver" : "Person"}
              name="to"
              data={(act === "tell" ? receivers : people).map(({ id, name }) => ({ value: id, label: name }))}
              error={error ?? undefined}
            />
            <p className="dim">
              {act === "tell"
                ? "They are told now, whatever the routes say, and hear of its end. Who has it stays the same."
                : `They are told now, with a link to take it over. ${owner === null ? "Nobody has it" : `${owner.name} has it`} until they do.`}
            </p>
          </>
        )}
        <div className={styles.acts}>
          <Button type="submit" variant="filled" loading={pending}>
            {buttons[act]}
          </Button>
          <Button onClick={onClose}>Cancel</Button>
        </div>
      </form>
    </Modal>
  );
}
