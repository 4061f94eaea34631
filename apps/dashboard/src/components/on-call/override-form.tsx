"use client";

import { NativeSelect, TextInput } from "@mantine/core";
import { useActionState } from "react";
import { addOverride, type OverrideState } from "../../app/(app)/(skeleton)/on-call/actions.ts";
import { Submit } from "../forms/submit.tsx";
import styles from "./on-call.module.css";

/** Somebody takes a stretch of a schedule, before all of its layers. */
export function OverrideForm(props: {
  schedule: string;
  zone: string;
  base: number;
  people: readonly { id: string; name: string }[];
  first: { from: string; to: string };
}) {
  const { schedule, zone, base, people, first } = props;
  const start: OverrideState = { errors: {}, values: { person: people[0]?.id ?? "", ...first }, base, turn: 0 };
  const [{ errors, values, base: version, turn }, submit, pending] = useActionState(addOverride, start);
  return (
    <form key={turn} action={submit} className={styles.form}>
      <input type="hidden" name="schedule" value={schedule} />
      <input type="hidden" name="base" value={version} />
      <NativeSelect
        label="Who"
        name="person"
        defaultValue={values.person}
        error={errors.person}
        data={people.map(({ id, name }) => ({ value: id, label: name }))}
      />
      <TextInput
        label={`From, ${zone}`}
        name="from"
        type="datetime-local"
        required
        defaultValue={values.from}
        error={errors.from}
      />
      <TextInput label="To" name="to" type="datetime-local" required defaultValue={values.to} error={errors.to} />
      <Submit pending={pending}>Put in</Submit>
      {errors.form === undefined ? null : (
        <p className="bad" role="alert">
          {errors.form}
        </p>
      )}
    </form>
  );
}
