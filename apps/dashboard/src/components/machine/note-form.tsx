"use client";

import { Textarea } from "@mantine/core";
import { useActionState } from "react";
import { type NoteState, note } from "../../app/(app)/machines/[id]/actions.ts";
import forms from "../forms/forms.module.css";
import { Submit } from "../forms/submit.tsx";

const start: NoteState = { error: null, done: null, text: "", turn: 0 };

/** A note on this machine: who is to be asked, what was tried. */
export function NoteForm({ machineId }: { machineId: string }) {
  const [state, submit, pending] = useActionState(note, start);
  return (
    <form action={submit} className={forms.form} key={state.turn}>
      <input type="hidden" name="machine" value={machineId} />
      <Textarea
        label="Add a note"
        name="text"
        description="Whoever may see this machine can read it. No passwords."
        rows={2}
        maxLength={2_000}
        required
        defaultValue={state.text}
        error={state.error}
      />
      <Submit pending={pending} done={state.done}>
        Save note
      </Submit>
    </form>
  );
}
