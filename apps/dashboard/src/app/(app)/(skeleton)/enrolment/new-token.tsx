"use client";

import { Button, Checkbox, NativeSelect, SegmentedControl, TextInput } from "@mantine/core";
import { useActionState, useState } from "react";
import { Copyable } from "../../../../components/forms/copyable.tsx";
import styles from "../../../../components/forms/forms.module.css";
import { Submit } from "../../../../components/forms/submit.tsx";
import { lifetimes } from "../../../../lib/token-lifetimes.ts";
import { makeToken, type TokenState } from "./actions.ts";

const start: TokenState = {
  errors: {},
  values: { label: "", site: "", tags: "", uses: "50", hours: "24", needsApproval: false },
  made: null,
  turn: 0,
};

/** The form of a token, and after it the token's text and command. */
export function NewToken() {
  const [state, submit, pending] = useActionState(makeToken, start);
  const { errors, values, made, turn } = state;
  if (made !== null) return <Made made={made} key={turn} />;
  return (
    <form action={submit} className={styles.form} key={turn}>
      <TextInput
        label="Label"
        name="label"
        description="What it is for"
        placeholder="Singapore laptops"
        required
        maxLength={100}
        defaultValue={values.label}
        error={errors.label}
      />
      <div className={styles.pair}>
        <TextInput
          label="Site"
          name="site"
          description="Empty: by subnet"
          placeholder="Singapore"
          maxLength={100}
          defaultValue={values.site}
          error={errors.site}
        />
        <TextInput
          label="Tags"
          name="tags"
          description="Separated by commas"
          placeholder="laptop, pilot"
          defaultValue={values.tags}
          error={errors.tags}
        />
        <TextInput
          label="Uses"
          name="uses"
          description="Machines that may enrol"
          inputMode="numeric"
          required
          defaultValue={values.uses}
          error={errors.uses}
        />
        <NativeSelect
          label="Valid for"
          name="hours"
          description="Short is safer"
          data={[...lifetimes]}
          defaultValue={values.hours}
          error={errors.hours}
        />
      </div>
      <Checkbox
        name="needsApproval"
        label="An admin approves each machine"
        description="Until then it takes no part in what is said of the fleet"
        defaultChecked={values.needsApproval}
      />
      <Submit pending={pending} main>
        Create token
      </Submit>
    </form>
  );
}

const shortTitles = { windows: "Windows", debian: "Debian", linux: "Linux", macos: "macOS", checkout: "Checkout" };

function Made({ made }: { made: NonNullable<TokenState["made"]> }) {
  const [system, setSystem] = useState<string>("windows");
  const chosen = made.commands.find(({ id }) => id === system);
  return (
    <div className={styles.form} role="status">
      <p>
        <b>Token for {made.label}.</b> This is the only time it is shown.
      </p>
      <SegmentedControl
        aria-label="System"
        value={system}
        onChange={setSystem}
        data={made.commands.map(({ id }) => ({ value: id, label: shortTitles[id] }))}
        fullWidth
      />
      {chosen === undefined ? null : (
        <div>
          <Copyable title={chosen.title} value={chosen.command} label="Copy command" main />
          <p className="dim">{chosen.note}</p>
        </div>
      )}
      <Copyable title="The token alone" value={made.text} label="Copy token">
        <Button component="a" href="/enrolment" variant="subtle">
          Done
        </Button>
      </Copyable>
      <p className="dim">
        The agent never probes beyond the suffixes and ports of the command, whatever is chosen here later. A machine
        shows under Machines within a minute of enrolling.
      </p>
    </div>
  );
}
