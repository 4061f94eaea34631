"use client";

import { type Access, everyMachine } from "@lynceus/protocol/access";
import { Button, Checkbox, PasswordInput, Radio, TextInput } from "@mantine/core";
import { startTransition, useActionState, useState } from "react";
import { type SignOnState, saveProvider } from "../../app/(app)/(skeleton)/settings/sign-on/actions.ts";
import type { SignOn } from "../../lib/sign-on/settings.ts";
import forms from "../forms/forms.module.css";
import { Submit } from "../forms/submit.tsx";
import { AccessFields, type KnownNames } from "./access-fields.tsx";
import styles from "./settings.module.css";

const start: SignOnState = { errors: {}, done: null, turn: 0 };
const least: Access = { role: "viewer", ...everyMachine };

/** The identity provider, and what its groups give. `value` null: none is set up. */
export function SignOnForm({ value, known }: { value: SignOn | null; known: KnownNames }) {
  const [{ errors, done }, submit, pending] = useActionState(saveProvider, start);
  const [lines, setLines] = useState(() => (value?.lines ?? []).map((line, number) => ({ ...line, number })));
  const [others, setOthers] = useState(value?.others ? "let-in" : "refuse");
  const add = () =>
    setLines((all) => [...all, { group: "", ...least, number: Math.max(-1, ...all.map(({ number }) => number)) + 1 }]);
  const remove = (number: number) => setLines((all) => all.filter((line) => line.number !== number));
  return (
    // What was typed stays where the answer is a refusal: a form without `action` keeps its fields.
    <form
      onSubmit={(event) => {
        event.preventDefault();
        const form = new FormData(event.currentTarget);
        startTransition(() => submit(form));
      }}
      className={forms.form}
    >
      <Checkbox name="enabled" label="The log-in page offers it" defaultChecked={value?.enabled ?? true} />
      <div className={forms.pair}>
        <TextInput
          label="Name"
          name="name"
          description="on the button: Sign in with …"
          placeholder="Contoso"
          required
          defaultValue={value?.name ?? ""}
          error={errors.name}
        />
        <TextInput
          label="Issuer"
          name="issuer"
          description="exactly as the provider writes it"
          placeholder="https://login.example.org/realms/staff"
          required
          defaultValue={value?.issuer ?? ""}
          error={errors.issuer}
        />
        <TextInput
          label="Client id"
          name="clientId"
          required
          autoComplete="off"
          defaultValue={value?.clientId ?? ""}
          error={errors.clientId}
        />
        <PasswordInput
          label="Client secret"
          name="secret"
          autoComplete="off"
          description={value === null ? "stored encrypted" : "empty: the stored one stays"}
          error={errors.secret}
        />
        <TextInput
          label="Scopes"
          name="scopes"
          defaultValue={(value?.scopes ?? ["openid", "profile", "email"]).join(" ")}
          error={errors.scopes}
        />
        <TextInput
          label="Claim with the groups"
          name="groupsClaim"
          defaultValue={value?.groupsClaim ?? "groups"}
          error={errors.groupsClaim}
        />
      </div>
      <fieldset className={styles.groups}>
        <legend>What groups give: the first line whose group somebody has decides</legend>
        {lines.map((line) => (
          <div key={line.number} className={styles.group}>
            <input type="hidden" name="line" value={line.number} />
            <TextInput
              label="Group"
              name={`group-${line.number}`}
              description="its name or id, as the claim lists it"
              maxLength={300}
              defaultValue={line.group}
            />
            <AccessFields value={line} known={known} errors={{}} prefix={`line-${line.number}-`} />
            <Button variant="default" onClick={() => remove(line.number)}>
              Remove this group
            </Button>
          </div>
        ))}
        {errors.lines === undefined ? null : (
          <p role="alert" className={styles.problem}>
            {errors.lines}
          </p>
        )}
        <Button variant="default" onClick={add}>
          Add a group
        </Button>
      </fieldset>
      <Radio.Group
        label="Who has none of these groups"
        name="others"
        value={others}
        onChange={setOthers}
        error={errors.others}
        className={forms.choice ?? ""}
      >
        <Radio value="refuse" label="is not let in" />
        <Radio value="let-in" label="is let in with:" />
      </Radio.Group>
      {others === "let-in" ? (
        <AccessFields value={value?.others ?? least} known={known} errors={{}} prefix="others-" />
      ) : null}
      <Checkbox
        name="trustsAddresses"
        label="Its addresses are their owners', also where it does not say that it verified them"
        description="Needed by some providers. Only where people cannot choose their address there: it takes over the account with that address here."
        defaultChecked={value?.trustsAddresses ?? false}
      />
      <Submit pending={pending} done={done} main>
        Save
      </Submit>
    </form>
  );
}
