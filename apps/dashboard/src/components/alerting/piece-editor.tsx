"use client";

import { TextInput } from "@mantine/core";
import { startTransition, useActionState, useEffect, useId, useState } from "react";
import { type PieceState, savePiece } from "../../app/(app)/(skeleton)/alerting/actions.ts";
import forms from "../forms/forms.module.css";
import { Submit } from "../forms/submit.tsx";
import styles from "./alerting.module.css";
import { Conflict } from "./conflict.tsx";
import { fieldsOf } from "./fields.ts";
import { at, idFrom, put } from "./form-value.ts";
import { type FieldContext, Fields, FieldView } from "./piece-fields.tsx";
import type { PieceFormProps } from "./piece-form.tsx";
import { Secrets } from "./secret-fields.tsx";

const start: PieceState = { errors: {}, conflict: null, version: null, done: null, turn: 0 };

/** One piece of the alerting configuration. What was typed stays where the answer is a refusal. */
export function PieceEditor(props: PieceFormProps) {
  const { kind, id, version, choices, secrets, sealed, allowed } = props;
  const [state, submit, pending] = useActionState(savePiece, start);
  // A page that is drawn again while somebody types must not put another version under what they typed.
  const [base, setBase] = useState(version);
  const [value, setValue] = useState(props.value);
  const [ownId, setOwnId] = useState<string | null>(null);
  const [typed, setTyped] = useState<Readonly<Record<string, string | null>>>({});
  const [unread, setUnread] = useState<Readonly<Record<string, string>>>({});
  useEffect(() => {
    if (state.version === null) return;
    setBase(state.version);
    setTyped({});
  }, [state.version]);
  const isNew = id === "";
  const type = kind === "receivers" ? String(at(value, "type")) : null;
  const name = String(at(value, "name") ?? "");
  const newId = ownId ?? idFrom(name);
  const errors = { ...state.errors, ...unread };
  const send = (over?: number) => {
    if (Object.keys(unread).length > 0) return;
    const form = new FormData();
    form.set("kind", kind);
    form.set("id", id);
    form.set("version", String(base));
    form.set("value", JSON.stringify(isNew && kind !== "limits" ? put(value, "id", newId) : value));
    form.set("secrets", JSON.stringify(typed));
    if (over !== undefined) form.set("over", String(over));
    startTransition(() => submit(form));
  };
  const context: FieldContext = {
    choices,
    errors,
    zones: useId(),
    unreadable: (path, text) =>
      setUnread((all) => {
        const { [path]: _, ...rest } = all;
        return text === null ? rest : { ...rest, [path]: text };
      }),
  };
  const [general, ...others] = fieldsOf(kind, type);
  const rest = kind === "limits" ? fieldsOf(kind, type) : others;
  return (
    <form
      className={forms.form}
      onSubmit={(event) => {
        event.preventDefault();
        send();
      }}
    >
      <fieldset className={`${styles.fields} ${forms.form}`} disabled={!allowed}>
        {kind === "limits" ? null : (
          <div className={forms.pair}>
            {general === undefined ? null : (
              <FieldView field={general} path="" value={value} onChange={setValue} context={context} />
            )}
            {isNew ? (
              <TextInput
                label="Id"
                description="stable: others refer to it"
                value={newId}
                onChange={(event) => setOwnId(event.currentTarget.value)}
                error={errors.id}
                autoComplete="off"
                classNames={{ input: "mono" }}
              />
            ) : (
              <div>
                <h3 className={forms.small}>Id</h3>
                <code>{id}</code>
              </div>
            )}
          </div>
        )}
        <Fields fields={rest} path="" value={value} onChange={setValue} context={context} />
        {secrets.length === 0 || (kind === "limits" && at(value, "heartbeat") === null) ? null : (
          <Secrets
            key={state.version ?? 0}
            secrets={secrets}
            sealed={sealed}
            typed={typed}
            errors={errors}
            onChange={(secret, text) =>
              setTyped((all) => {
                const { [secret]: _, ...left } = all;
                return text === "" ? left : { ...left, [secret]: text };
              })
            }
          />
        )}
      </fieldset>
      <ZoneNames id={context.zones} />
      {errors[""] === undefined ? null : (
        <p role="alert" className="bad">
          {errors[""]}
        </p>
      )}
      {state.conflict === null ? null : (
        <Conflict conflict={state.conflict} pending={pending} onKeep={() => send(state.conflict?.version)} />
      )}
      {allowed ? (
        <Submit
          pending={pending}
          done={state.turn > 0 ? (Object.keys(errors).length > 0 ? "Not saved: see above." : state.done) : props.done}
          main
        >
          {isNew && kind !== "limits" ? "Add" : "Save"}
        </Submit>
      ) : (
        <p className="dim">Admins of the whole fleet change it.</p>
      )}
    </form>
  );
}
/** Names of time zones that the browser knows, for completion. */
function ZoneNames({ id }: { id: string }) {
  const [zones, setZones] = useState<readonly string[]>([]);
  useEffect(() => setZones(Intl.supportedValuesOf("timeZone")), []);
  return (
    <datalist id={id}>
      {zones.map((zone) => (
        <option key={zone} value={zone} />
      ))}
    </datalist>
  );
}
