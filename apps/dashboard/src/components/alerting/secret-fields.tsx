"use client";

import { Button, PasswordInput } from "@mantine/core";
import forms from "../forms/forms.module.css";
import styles from "./alerting.module.css";

/** A secret of a receiver, without its value. */
export interface SecretField {
  name: string;
  title: string;
  rule: string;
  required: boolean;
  isSet: boolean;
}
/** Secrets go in and never come out: an empty field leaves what is stored. */
export function Secrets(props: {
  secrets: readonly SecretField[];
  sealed: string | null;
  typed: Readonly<Record<string, string | null>>;
  errors: Readonly<Record<string, string>>;
  onChange: (name: string, text: string | null) => void;
}) {
  const { secrets, sealed, typed, errors, onChange } = props;
  return (
    <fieldset className={styles.items}>
      <legend>Secrets</legend>
      <p className="dim">
        {sealed ?? "Stored encrypted, and shown to nobody again. An empty field leaves what is stored."}
      </p>
      {secrets.map(({ name, title, rule, required, isSet }) => (
        <div key={name} className={styles.secret}>
          <PasswordInput
            label={title}
            description={`${isSet ? "set" : required ? "not set, and needed" : "not set"}; ${rule}`}
            placeholder={isSet ? "stays as it is" : ""}
            value={typed[name] ?? ""}
            disabled={sealed !== null || typed[name] === null}
            autoComplete="new-password"
            error={errors[`secrets.${name}`]}
            onChange={(event) => onChange(name, event.currentTarget.value)}
          />
          <div className={forms.acts}>
            {name === "signingSecret" && sealed === null ? (
              <Button variant="subtle" onClick={() => onChange(name, newSigningSecret())}>
                Make one
              </Button>
            ) : null}
            {isSet && !required && sealed === null ? (
              <Button variant="subtle" onClick={() => onChange(name, typed[name] === null ? "" : null)}>
                {typed[name] === null ? "Keep it" : "Take it away"}
              </Button>
            ) : null}
          </div>
        </div>
      ))}
    </fieldset>
  );
}

function newSigningSecret(): string {
  const bytes = crypto.getRandomValues(new Uint8Array(32));
  return `whsec_${btoa(String.fromCharCode(...bytes))}`;
}
