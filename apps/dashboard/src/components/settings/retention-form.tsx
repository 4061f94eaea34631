"use client";

import { TextInput } from "@mantine/core";
import { useActionState } from "react";
import { keepFor, type RetentionState } from "../../app/(app)/(skeleton)/settings/retention/actions.ts";
import type { RetentionValues } from "../../lib/retention-input.ts";
import { ConfirmButton } from "../confirm-button.tsx";
import forms from "../forms/forms.module.css";

/** Changes how long things are kept; what a shorter time takes away does not come back, so it asks once more. */
export function RetentionForm({ initial }: { initial: RetentionValues }) {
  const start: RetentionState = { values: initial, errors: {}, done: null, turn: 0 };
  const [{ values, errors, done, turn }, submit] = useActionState(keepFor, start);
  return (
    <form action={submit} className={forms.form} key={turn}>
      <TextInput
        name="observationDays"
        label="Days of observations"
        description="1 to 3,650; today is beside them"
        inputMode="numeric"
        maxLength={9}
        required
        defaultValue={values.observationDays}
        error={errors.observationDays}
      />
      <TextInput
        name="historyDays"
        label="Days of history"
        description="36 to 3,650; 396 are thirteen months"
        inputMode="numeric"
        maxLength={9}
        required
        defaultValue={values.historyDays}
        error={errors.historyDays}
      />
      <div className={forms.submit}>
        <ConfirmButton label="Save" again="Save: what is older is deleted" />
        <span role="status" className="dim">
          {done}
        </span>
      </div>
    </form>
  );
}
