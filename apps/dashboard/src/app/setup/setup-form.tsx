"use client";

import { Button, Checkbox, TextInput } from "@mantine/core";
import { useActionState } from "react";
import { Panel } from "../../components/layout/panel.tsx";
import { RolloutFields } from "../../components/targets/rollout-fields.tsx";
import { wholeFleetValues } from "../../lib/rollout-values.ts";
import type { SetupValues } from "../../lib/setup-input.ts";
import { setUp } from "./actions.ts";
import { Expectations } from "./expectations.tsx";
import { Field } from "./field.tsx";
import { Found } from "./found.tsx";
import styles from "./setup.module.css";

/** Domains, what was found for them, and the servers as they will be probed. */
export function SetupForm({ initial, first }: { initial: SetupValues; first: boolean }) {
  const [state, submit, pending] = useActionState(setUp, {
    values: initial,
    errors: {},
    rollout: { values: wholeFleetValues, errors: {} },
    note: "",
    refused: null,
    discovery: null,
    turn: 0,
  });
  const { values, errors, rollout, note, refused, discovery, turn } = state;
  const searched = discovery !== null || !first;
  return (
    <form action={submit} className={styles.form} aria-busy={pending}>
      <Panel title="Domains" sub="several: separated by commas">
        <div className={styles.fields} key={`domains-${turn}`}>
          <Field
            name="smtpDomains"
            label="SMTP domains"
            description="After the @ of the mail addresses"
            example="example.org"
            {...{ values, errors }}
          />
          <Field
            name="sipDomains"
            label="SIP domains"
            description="After the @ of the Lync addresses"
            example="example.org"
            {...{ values, errors }}
          />
        </div>
        <div className={styles.actions}>
          <Button type="submit" name="intent" value="find" variant={searched ? "default" : "filled"} loading={pending}>
            {discovery === null ? "Find servers" : "Look again"}
          </Button>
          <span className="dim">Takes up to 20 s.</span>
        </div>
      </Panel>

      {discovery === null ? null : <Found discovery={discovery} />}

      <Panel title="Servers" sub={searched ? "correct what is not right" : "found by the search, or entered by hand"}>
        <div className={styles.fields} key={`servers-${turn}`}>
          <Field
            name="ews"
            label="Exchange (EWS) hosts"
            description="What clients call, inside and outside"
            example="mail.example.org"
            {...{ values, errors }}
          />
          <Field
            name="lyncWeb"
            label="Lync web services hosts"
            description="Response groups and address book; may stay empty"
            example="lyncweb.example.org"
            {...{ values, errors }}
          />
          <Field
            name="control"
            label="Control address"
            description="A page everyone may read: tells a dead network from a dead Exchange. Empty: Microsoft's"
            example="http://www.example.org/ok.txt"
            {...{ values, errors }}
          />
          <div className={styles.checks}>
            <Checkbox
              name="requiresProxy"
              label="The network needs a proxy"
              description="There is no direct way out, on purpose: direct probes are then expected to fail"
              defaultChecked={values.requiresProxy}
            />
            <Checkbox
              name="exchangeOnline"
              label="Mailboxes are in Exchange Online too"
              description="Its answers then count as right"
              defaultChecked={values.exchangeOnline}
            />
          </div>
        </div>
      </Panel>

      <Panel title="What is expected" sub="what differs from it is told; empty: not declared, and not judged by">
        <Expectations key={`expected-${turn}`} values={values} errors={errors} />
      </Panel>

      <Panel
        title={first ? "Save" : "Roll out"}
        {...(first ? {} : { sub: "saved as the next version; any version can be brought back" })}
      >
        {first ? null : (
          <div className={styles.fields} key={`rollout-${turn}`}>
            <RolloutFields values={rollout.values} errors={rollout.errors} />
            <TextInput
              name="note"
              label="Note"
              description="Why, for the history and the audit log"
              placeholder="Second Exchange front end"
              maxLength={500}
              defaultValue={note}
            />
          </div>
        )}
        {refused === null ? null : (
          <p className={styles.refused} role="alert">
            Not saved: {refused}.
          </p>
        )}
        <div className={styles.actions}>
          <Button type="submit" name="intent" value="save" variant={searched ? "filled" : "default"} disabled={pending}>
            Save
          </Button>
          <span className="dim">Agents begin to probe these within a minute.</span>
        </div>
      </Panel>
    </form>
  );
}
