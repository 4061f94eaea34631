"use client";

import { Button, Checkbox, NativeSelect, TextInput } from "@mantine/core";
import { useActionState } from "react";
import { CopyButton } from "../../../components/copy-button.tsx";
import { lifetimes } from "../../../lib/token-lifetimes.ts";
import { makeToken, type TokenState } from "./actions.ts";
import styles from "./enrolment.module.css";

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
      <div>
        <Button type="submit" variant="filled" loading={pending}>
          Create token
        </Button>
      </div>
    </form>
  );
}

function Made({ made }: { made: NonNullable<TokenState["made"]> }) {
  return (
    <div className={styles.form} role="status">
      <p>
        <b>Token for {made.label}.</b> This is the only time it is shown.
      </p>
      <div>
        <h3 className={styles.small}>On a Linux machine with the agent installed</h3>
        <code className={styles.code}>{made.commands.installed}</code>
        <div className={styles.acts}>
          <CopyButton value={made.commands.installed} label="Copy command" variant="filled" />
        </div>
      </div>
      <div>
        <h3 className={styles.small}>From a checkout of Lynceus</h3>
        <code className={styles.code}>{made.commands.checkout}</code>
        <div className={styles.acts}>
          <CopyButton value={made.commands.checkout} label="Copy command for a checkout" />
        </div>
      </div>
      <div>
        <h3 className={styles.small}>The token alone</h3>
        <code className={styles.code}>{made.text}</code>
        <div className={styles.acts}>
          <CopyButton value={made.text} label="Copy token" />
          <Button component="a" href="/enrolment" variant="subtle">
            Done
          </Button>
        </div>
      </div>
      <p className="dim">
        The agent never probes beyond the suffixes and ports of the command, whatever is chosen here later. A machine
        shows under Machines within a minute of enrolling.
      </p>
    </div>
  );
}
