"use client";

import { type Access, everyMachine } from "@lynceus/protocol/access";
import { Button, Checkbox, NativeSelect, TextInput } from "@mantine/core";
import { useActionState } from "react";
import {
  changeUser,
  makeUser,
  type NewUserState,
  setSecondFactorRule,
  type UserState,
} from "../../app/(app)/(skeleton)/settings/users/actions.ts";
import { ConfirmButton } from "../confirm-button.tsx";
import { Copyable } from "../forms/copyable.tsx";
import forms from "../forms/forms.module.css";
import { Submit } from "../forms/submit.tsx";
import { AccessFields, type KnownNames } from "./access-fields.tsx";

const fresh: NewUserState = {
  errors: {},
  values: { name: "", email: "", access: { role: "viewer", ...everyMachine } },
  made: null,
  turn: 0,
};

/** Makes an account. */
export function NewUserForm({ known, hasSso }: { known: KnownNames; hasSso: boolean }) {
  const [{ errors, values, made, turn }, submit, pending] = useActionState(makeUser, fresh);
  return (
    <form action={submit} className={forms.form} key={turn}>
      {made === null ? null : made.password === null ? (
        <p role="status">{made.name} can sign in by single sign-on.</p>
      ) : (
        <Copyable
          title={`First password of ${made.email}: shown once, and to be changed at the first sign-in`}
          value={made.password}
          label="Copy password"
        />
      )}
      <div className={forms.pair}>
        <TextInput
          label="Name"
          name="name"
          required
          maxLength={100}
          autoComplete="off"
          defaultValue={values.name}
          error={errors.name}
        />
        <TextInput
          label="Email"
          name="email"
          type="email"
          required
          autoComplete="off"
          defaultValue={values.email}
          error={errors.email}
        />
      </div>
      <AccessFields value={values.access} known={known} errors={errors} />
      {hasSso ? <Checkbox name="sso" label="Signs in by single sign-on alone: no password" /> : null}
      <Submit pending={pending}>Add account</Submit>
    </form>
  );
}

const untouched: UserState = { errors: {}, said: null, password: null, turn: 0 };

/** Role and scope of an account. */
export function UserAccessForm({ id, access, known }: { id: string; access: Access; known: KnownNames }) {
  const [{ errors, said, turn }, submit, pending] = useActionState(changeUser, untouched);
  return (
    <form action={submit} className={forms.form} key={turn}>
      <input type="hidden" name="id" value={id} />
      <input type="hidden" name="act" value="access" />
      <AccessFields value={access} known={known} errors={errors} />
      <Submit pending={pending} done={said} main>
        Save
      </Submit>
    </form>
  );
}

/** One act on an account, asked twice where it cannot be undone. */
export function UserAct(props: { id: string; act: string; label: string; again?: string; describes: string }) {
  const { id, act, label, again, describes } = props;
  const [{ said, password }, submit] = useActionState(changeUser, untouched);
  return (
    <form action={submit}>
      <input type="hidden" name="id" value={id} />
      <input type="hidden" name="act" value={act} />
      <ConfirmButton label={label} {...(again === undefined ? {} : { again })} describes={describes} />
      {said === null ? null : (
        <p role="status" className="dim">
          {said}
        </p>
      )}
      {password === null ? null : <Copyable value={password} label="Copy password" />}
    </form>
  );
}

/** Who must have a second factor. */
export function SecondFactorRule({ value }: { value: string }) {
  return (
    <form action={setSecondFactorRule} className={forms.inline}>
      <NativeSelect
        label="Second factor asked of"
        name="secondFactor"
        defaultValue={value}
        data={[
          { value: "nobody", label: "nobody: it is a choice" },
          { value: "admins", label: "admins with a password" },
          { value: "everyone", label: "everyone with a password" },
        ]}
      />
      <Button type="submit" variant="default">
        Save
      </Button>
    </form>
  );
}
