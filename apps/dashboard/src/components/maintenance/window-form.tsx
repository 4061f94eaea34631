"use client";

import { Autocomplete, InputWrapper, NativeSelect, Textarea, TextInput } from "@mantine/core";
import { useActionState, useState } from "react";
import { saveWindow, type WindowState } from "../../app/(app)/(skeleton)/maintenance/actions.ts";
import type { WindowValues } from "../../lib/window-input.ts";
import forms from "../forms/forms.module.css";
import { Submit } from "../forms/submit.tsx";
import { MatchField } from "../silences/match-field.tsx";
import styles from "./maintenance.module.css";
import { dayNames, nthNames, weekdays } from "./words.ts";

const kinds = [
  { value: "once", label: "Once" },
  { value: "daily", label: "Daily" },
  { value: "weekly", label: "Weekly" },
  { value: "monthly", label: "Monthly" },
];

/** A maintenance window, new or edited. Its times are by its own zone's clock. */
export function WindowForm(props: {
  first: WindowValues;
  /** The version of the configuration that this was made from. */
  base: number;
  month: string;
  fields: readonly string[];
  zones: readonly string[];
}) {
  const { first, base, month, fields, zones } = props;
  const start: WindowState = { errors: {}, values: first, base, turn: 0 };
  const [{ errors, values, base: version, turn }, submit, pending] = useActionState(saveWindow, start);
  const [match, setMatch] = useState(values.match);
  const [kind, setKind] = useState(values.kind);
  return (
    <form key={turn} action={submit} className={`${forms.form} ${styles.form}`}>
      <input type="hidden" name="id" value={values.id} />
      <input type="hidden" name="base" value={version} />
      <input type="hidden" name="month" value={month} />
      {errors.form === undefined ? null : (
        <p className="bad" role="alert">
          {errors.form}
        </p>
      )}
      <TextInput
        label="Name"
        description="It stands on an incident's timeline as the reason"
        name="name"
        placeholder="Berlin, Sunday"
        required
        maxLength={120}
        autoComplete="off"
        defaultValue={values.name}
        error={errors.name}
      />
      <MatchField
        match={match}
        onChange={setMatch}
        zone={values.zone}
        fields={fields}
        label="Machines of the window"
        error={errors.match}
      />
      <fieldset className={styles.set}>
        <legend className={styles.legend}>When</legend>
        <div className={styles.kinds}>
          {kinds.map((one) => (
            <label key={one.value}>
              <input
                type="radio"
                name="kind"
                value={one.value}
                checked={kind === one.value}
                onChange={() => setKind(one.value)}
              />
              {one.label}
            </label>
          ))}
        </div>
      </fieldset>
      <div className={styles.of} data-kinds="once">
        <div className={forms.pair}>
          <TextInput label="From" name="from" type="datetime-local" defaultValue={values.from} error={errors.from} />
          <TextInput label="To" name="to" type="datetime-local" defaultValue={values.to} error={errors.to} />
        </div>
      </div>
      <div className={styles.of} data-kinds="weekly">
        <InputWrapper label="Days" labelElement="div" error={errors.days}>
          <div className={styles.days}>
            {weekdays.map((day) => (
              <label key={day}>
                <input type="checkbox" name="days" value={day} defaultChecked={values.days.includes(day)} />
                {dayNames[day].slice(0, 3)}
              </label>
            ))}
          </div>
        </InputWrapper>
      </div>
      <div className={styles.of} data-kinds="monthly">
        <div className={forms.pair}>
          <NativeSelect
            label="Which"
            name="nth"
            defaultValue={values.nth}
            error={errors.nth}
            data={["1", "2", "3", "4", "-1"].map((nth) => ({ value: nth, label: nthNames[nth] ?? nth }))}
          />
          <NativeSelect
            label="Day"
            name="day"
            defaultValue={values.day}
            error={errors.day}
            data={weekdays.map((day) => ({ value: day, label: dayNames[day] }))}
          />
        </div>
      </div>
      <div className={styles.of} data-kinds="daily weekly monthly">
        <div className={forms.pair}>
          <TextInput label="At" name="at" type="time" defaultValue={values.at} error={errors.at} />
          <TextInput
            label="Minutes"
            name="minutes"
            inputMode="numeric"
            defaultValue={values.minutes}
            error={errors.minutes}
          />
        </div>
        <div className={forms.pair}>
          <TextInput
            label="First day"
            description="May stay empty"
            name="validFrom"
            type="date"
            defaultValue={values.validFrom}
            error={errors.validFrom}
          />
          <TextInput
            label="Last day"
            description="May stay empty"
            name="validUntil"
            type="date"
            defaultValue={values.validUntil}
            error={errors.validUntil}
          />
        </div>
      </div>
      <Autocomplete
        label="Zone"
        description="Its clock is meant, with summer time"
        name="zone"
        data={[...zones]}
        limit={20}
        defaultValue={values.zone}
        error={errors.zone}
        autoComplete="off"
      />
      <Textarea
        label="Note"
        description="May stay empty"
        name="note"
        placeholder="Proxy px2 is patched"
        maxLength={500}
        autosize
        minRows={2}
        defaultValue={values.note}
        error={errors.note}
      />
      <Submit pending={pending} main>
        {values.id === "" ? "Add window" : "Save window"}
      </Submit>
    </form>
  );
}
