"use client";

import { Checkbox, NativeSelect, TextInput } from "@mantine/core";
import { useActionState, useEffect, useState } from "react";
import type { ReportState } from "../../app/(app)/machines/[id]/actions.ts";
import { report } from "../../app/(app)/machines/[id]/actions.ts";
import forms from "../forms/forms.module.css";
import { Submit } from "../forms/submit.tsx";

const start: ReportState = { errors: {}, done: null, values: { user: "", note: "", pattern: "" }, turn: 0 };

/** "User U on this machine was prompted at T": a label by which patterns are measured. */
export function ReportForm({
  machineId,
  patterns,
}: {
  machineId: string;
  patterns: { value: string; label: string }[];
}) {
  const [state, submit, pending] = useActionState(report, start);
  const { errors, done, values, turn } = state;
  const [at, setAt] = useState("");
  const [prompted, setPrompted] = useState(true);
  // The field shows this browser's time; what is sent has its zone. A form just sent begins at now again.
  // biome-ignore lint/correctness/useExhaustiveDependencies: each turn is another report.
  useEffect(() => setAt(localMinute(new Date())), [turn]);
  const instant = at === "" || Number.isNaN(Date.parse(at)) ? "" : new Date(at).toISOString();
  return (
    <form action={submit} className={forms.form} key={turn}>
      <input type="hidden" name="machine" value={machineId} />
      <input type="hidden" name="at" value={instant} />
      <div className={forms.pair}>
        <TextInput
          label="User"
          name="user"
          description="As the helpdesk names them"
          required
          maxLength={64}
          autoComplete="off"
          defaultValue={values.user}
          error={errors.user}
        />
        <TextInput
          label="Seen at"
          type="datetime-local"
          description="In this browser's time zone"
          required
          value={at}
          onChange={(event) => setAt(event.currentTarget.value)}
          error={errors.at}
        />
      </div>
      <Checkbox
        name="prompted"
        label="A credential prompt was seen"
        description="Not ticked: somebody looked, and there was none. That counts against a finding that said otherwise"
        checked={prompted}
        onChange={(event) => setPrompted(event.currentTarget.checked)}
      />
      <div className={forms.pair}>
        <NativeSelect
          label="Established cause"
          name="pattern"
          description="Only if found without Lynceus"
          defaultValue={values.pattern}
          data={[{ value: "", label: "Not established" }, ...patterns]}
          error={errors.pattern}
        />
        <TextInput
          label="Note"
          name="note"
          description="May stay empty"
          maxLength={500}
          autoComplete="off"
          defaultValue={values.note}
          error={errors.note}
        />
      </div>
      <Submit pending={pending} done={done}>
        Save report
      </Submit>
    </form>
  );
}

/** "2026-11-24T02:12" in this browser's zone, as the field wants it. */
function localMinute(now: Date): string {
  const local = new Date(now.getTime() - now.getTimezoneOffset() * 60_000);
  return local.toISOString().slice(0, 16);
}
