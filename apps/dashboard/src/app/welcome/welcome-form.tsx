"use client";

import { Button, PasswordInput, TextInput } from "@mantine/core";
import { useActionState } from "react";
import { passwordLength } from "../../lib/password-length.ts";
import { makeFirstAdmin } from "./actions.ts";

export function WelcomeForm({ code }: { code: string }) {
  const [state, submit, pending] = useActionState(makeFirstAdmin, { errors: {}, name: "", email: "" });
  return (
    <form action={submit} style={{ display: "grid", gap: 14 }}>
      <input type="hidden" name="code" value={code} />
      <TextInput
        label="Name"
        name="name"
        autoComplete="name"
        required
        maxLength={100}
        defaultValue={state.name}
        error={state.errors.name}
        autoFocus
      />
      <TextInput
        label="Email"
        name="email"
        type="email"
        autoComplete="username"
        required
        defaultValue={state.email}
        error={state.errors.email}
      />
      <PasswordInput
        label="Password"
        description={`${passwordLength.least} characters or more; four words are good`}
        name="password"
        autoComplete="new-password"
        required
        minLength={passwordLength.least}
        maxLength={passwordLength.most}
        error={state.errors.password}
      />
      <PasswordInput
        label="Password again"
        name="again"
        autoComplete="new-password"
        required
        maxLength={passwordLength.most}
        error={state.errors.again}
      />
      <Button type="submit" variant="filled" size="md" loading={pending}>
        Make admin
      </Button>
    </form>
  );
}
