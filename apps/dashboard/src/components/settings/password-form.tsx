"use client";

import { PasswordInput } from "@mantine/core";
import { useActionState } from "react";
import { changePassword, type PasswordState } from "../../app/(app)/(skeleton)/settings/account/actions.ts";
import { passwordLength } from "../../lib/password-length.ts";
import forms from "../forms/forms.module.css";
import { Submit } from "../forms/submit.tsx";

const start: PasswordState = { errors: {}, done: null, turn: 0 };

/** Changes one's own password. */
export function PasswordForm({ main = false }: { main?: boolean }) {
  const [{ errors, done, turn }, submit, pending] = useActionState(changePassword, start);
  return (
    <form action={submit} className={forms.form} key={turn}>
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
        description={`${passwordLength.least} characters or more, and hard to guess; four words are good`}
        autoComplete="new-password"
        required
        minLength={passwordLength.least}
        maxLength={passwordLength.most}
        error={errors.password}
      />
      <PasswordInput
        label="New password again"
        name="again"
        autoComplete="new-password"
        required
        error={errors.again}
      />
      <Submit pending={pending} done={done} main={main}>
        Change password
      </Submit>
    </form>
  );
}
