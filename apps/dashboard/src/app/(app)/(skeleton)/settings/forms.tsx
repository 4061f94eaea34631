"use client";

import { NativeSelect, PasswordInput, TextInput } from "@mantine/core";
import { useActionState } from "react";
import { Copyable } from "../../../../components/forms/copyable.tsx";
import styles from "../../../../components/forms/forms.module.css";
import { Submit } from "../../../../components/forms/submit.tsx";
import { passwordLength } from "../../../../lib/password-length.ts";
import { changePassword, type FormState, makeApiToken, makeUser } from "./actions.ts";

const start: FormState = {
  errors: {},
  done: null,
  secret: null,
  values: { name: "", email: "", role: "viewer", label: "" },
  turn: 0,
};

export function PasswordForm() {
  const [{ errors, done, turn }, submit, pending] = useActionState(changePassword, start);
  return (
    <form action={submit} className={styles.form} key={turn}>
      <PasswordInput
        label="Present password"
        name="current"
        autoComplete="current-password"
        required
        error={errors.current}
      />
      <PasswordInput
        label="New password"
        name="password"
        description={`${passwordLength.least} characters or more`}
        autoComplete="new-password"
        required
        minLength={passwordLength.least}
        error={errors.password}
      />
      <PasswordInput
        label="New password again"
        name="again"
        autoComplete="new-password"
        required
        error={errors.again}
      />
      <Submit pending={pending} done={done}>
        Change password
      </Submit>
    </form>
  );
}

export function UserForm() {
  const [{ errors, done, values, turn }, submit, pending] = useActionState(makeUser, start);
  return (
    <form action={submit} className={styles.form} key={turn}>
      <div className={styles.pair}>
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
        <PasswordInput
          label="First password"
          name="password"
          required
          autoComplete="new-password"
          error={errors.password}
        />
        <NativeSelect
          label="Role"
          name="role"
          defaultValue={values.role}
          data={[
            { value: "viewer", label: "Viewer: reads" },
            { value: "admin", label: "Admin: changes too" },
          ]}
        />
      </div>
      <Submit pending={pending} done={done}>
        Add account
      </Submit>
    </form>
  );
}

export function ApiTokenForm() {
  const [{ errors, done, secret, values, turn }, submit, pending] = useActionState(makeApiToken, start);
  return (
    <form action={submit} className={styles.form} key={turn}>
      {secret === null ? null : <Copyable value={secret} label="Copy token" />}
      <TextInput
        label="Label"
        name="label"
        description="Who reads with it"
        placeholder="Grafana"
        required
        maxLength={100}
        autoComplete="off"
        defaultValue={values.label}
        error={errors.label}
      />
      <Submit pending={pending} done={done}>
        Create API token
      </Submit>
    </form>
  );
}
