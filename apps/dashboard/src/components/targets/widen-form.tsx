"use client";

import { useActionState } from "react";
import { type WidenState, widen } from "../../app/(app)/(skeleton)/targets/actions.ts";
import type { RolloutValues } from "../../lib/rollout-values.ts";
import forms from "../forms/forms.module.css";
import { Submit } from "../forms/submit.tsx";
import { PartFields } from "./rollout-fields.tsx";

/** Who takes part in the roll-out from now on. */
export function WidenForm({ version, initial }: { version: number; initial: RolloutValues }) {
  const start: WidenState = { values: initial, errors: {}, done: null, turn: 0 };
  const [state, submit, pending] = useActionState(widen, start);
  return (
    <form action={submit} className={forms.form}>
      <input type="hidden" name="version" value={version} />
      <PartFields key={state.turn} values={state.values} errors={state.errors} />
      <Submit pending={pending} done={state.done}>
        Change who gets it
      </Submit>
    </form>
  );
}
