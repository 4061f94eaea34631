"use client";

import { everyMachine, type TokenScope } from "@lynceus/protocol/access";
import { NativeSelect, TextInput } from "@mantine/core";
import { useActionState } from "react";
import { makeApiToken, type TokenState } from "../../app/(app)/(skeleton)/settings/tokens/actions.ts";
import { Copyable } from "../forms/copyable.tsx";
import forms from "../forms/forms.module.css";
import { Submit } from "../forms/submit.tsx";
import { type KnownNames, ScopeFields } from "./access-fields.tsx";

export const tokenScopeTexts: Record<TokenScope, string> = {
  read: "Read: as a viewer",
  operate: "Operate: also ask machines to check, report",
  admin: "Admin: also let machines in",
  wall: "Wallboard: open the wallboard, and nothing else",
};

const start: TokenState = { errors: {}, values: { label: "", days: "90", may: "read" }, made: null, turn: 0 };

/** Makes a token of the API. */
export function TokenForm({ known }: { known: KnownNames }) {
  const [{ errors, values, made, turn }, submit, pending] = useActionState(makeApiToken, start);
  return (
    <form action={submit} className={forms.form} key={turn}>
      {made === null ? null : (
        <Copyable title={`Token ${made.label}, for ${made.sees}: shown once`} value={made.secret} label="Copy token" />
      )}
      {made === null || made.opens === null ? null : (
        <Copyable title="Open once on the screen" value={made.opens} label="Copy address" />
      )}
      <TextInput
        label="Label"
        name="label"
        description="Who uses it"
        placeholder="Grafana"
        required
        maxLength={100}
        autoComplete="off"
        defaultValue={values.label}
        error={errors.label}
      />
      <div className={forms.pair}>
        <NativeSelect
          label="May"
          name="may"
          defaultValue={values.may}
          data={Object.entries(tokenScopeTexts).map(([value, label]) => ({ value, label }))}
        />
        <NativeSelect
          label="Ends"
          name="days"
          defaultValue={values.days}
          error={errors.days}
          data={[
            { value: "30", label: "in 30 days" },
            { value: "90", label: "in 90 days" },
            { value: "365", label: "in a year" },
            { value: "never", label: "never: until it is revoked" },
          ]}
        />
      </div>
      <ScopeFields value={everyMachine} known={known} error={errors.scope} />
      <Submit pending={pending}>Create token</Submit>
    </form>
  );
}
