"use client";

import { formatCount, safeText } from "@lynceus/protocol/present";
import { Button, FileInput, Textarea } from "@mantine/core";
import { startTransition, useActionState, useState } from "react";
import { type ImportState, importYaml } from "../../app/(app)/(skeleton)/alerting/actions.ts";
import forms from "../forms/forms.module.css";
import { Submit } from "../forms/submit.tsx";
import styles from "./alerting.module.css";
import { ChangeList } from "./change-list.tsx";

const start: ImportState = { problems: [], changes: null, version: 0, error: null, turn: 0 };

/** Check first, then save what was checked. */
export function ImportForm() {
  const [state, submit, pending] = useActionState(importYaml, start);
  const [text, setText] = useState("");
  const [checked, setChecked] = useState<string | null>(null);
  const send = (intent: "check" | "save") => {
    const form = new FormData();
    form.set("text", text);
    form.set("intent", intent);
    form.set("version", String(state.version));
    setChecked(text);
    startTransition(() => submit(form));
  };
  const { problems, changes, error } = state;
  const isChecked = checked === text && !pending;
  return (
    <form
      className={forms.form}
      onSubmit={(event) => {
        event.preventDefault();
        send("check");
      }}
    >
      <FileInput
        label="File"
        placeholder="lynceus-alerting.yaml"
        accept=".yaml,.yml,application/yaml"
        onChange={(chosen) => void chosen?.text().then(setText)}
      />
      <Textarea
        label="Its text"
        value={text}
        onChange={(event) => setText(event.currentTarget.value)}
        autosize
        minRows={8}
        maxRows={24}
        spellCheck={false}
        classNames={{ input: "mono" }}
        error={isChecked ? error : null}
      />
      <Submit pending={pending} main={changes === null || !isChecked}>
        Check
      </Submit>
      {isChecked && problems.length > 0 ? (
        <div role="alert">
          <h3>
            {problems.length === 1 ? "One thing is" : `${formatCount(problems.length)} things are`} wrong; nothing is
            saved.
          </h3>
          <ul className={styles.problems}>
            {problems.map(({ path, message }) => (
              <li key={`${path} ${message}`}>
                {path === "" ? null : <span className="mono dim">{safeText(path, 120)} </span>}
                <span className="bad">
                  <bdi>{safeText(message, 600)}</bdi>
                </span>
              </li>
            ))}
          </ul>
        </div>
      ) : null}
      {isChecked && changes !== null ? (
        <div className={forms.form} role="status">
          <h3>
            {changes.length === 0
              ? "It says what is in force already."
              : `It would change ${changes.length === 1 ? "one value" : `${formatCount(changes.length)} values`}.`}
          </h3>
          {changes.length === 0 ? null : (
            <>
              <ChangeList changes={changes} />
              <div className={forms.submit}>
                <Button variant="filled" loading={pending} onClick={() => send("save")}>
                  Save it as version {state.version + 1}
                </Button>
              </div>
            </>
          )}
        </div>
      ) : null}
    </form>
  );
}
