"use client";

import { Button, NativeSelect, PasswordInput, TextInput } from "@mantine/core";
import { type ReactNode, useActionState } from "react";
import { CopyButton } from "../../../components/copy-button.tsx";
import { passwordLength } from "../../../lib/password-length.ts";
import { changePassword, type FormState, makeApiToken, makeUser } from "./actions.ts";
import styles from "./settings.module.css";

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
      {secret === null ? null : (
        <div>
          <code className={styles.code}>{secret}</code>
          <CopyButton value={secret} label="Copy token" />
        </div>
      )}
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

function Submit({ pending, done, children }: { pending: boolean; done: string | null; children: ReactNode }) {
  return (
    <div className={styles.submit}>
      <Button type="submit" loading={pending}>
        {children}
      </Button>
      <span role="status" className="dim">
        {done}
      </span>
    </div>
  );
}
