"use client";

import { NativeSelect, Textarea, TextInput } from "@mantine/core";
import { useActionState, useEffect, useRef, useState } from "react";
import { makeSilence, type SilenceState } from "../../app/(app)/silences/actions.ts";
import type { SilencePreviewAnswer } from "../../lib/silence-preview.ts";
import forms from "../forms/forms.module.css";
import { Submit } from "../forms/submit.tsx";
import { MatchField } from "./match-field.tsx";
import { SilencePreview } from "./silence-preview.tsx";
import styles from "./silences.module.css";

/** A new silence. What it would cover is shown while it is written, from the server's own count. */
export function SilenceForm(props: {
  /** Given by the address: an incident's, for one. */
  match: string;
  first: SilencePreviewAnswer;
  fields: readonly string[];
  zone: string;
  zoneText: string;
  /** What of the fleet the author sees, in words; null: all of it. */
  scope: string | null;
}) {
  const { first, fields, zone, zoneText, scope } = props;
  const start: SilenceState = {
    errors: {},
    values: { match: props.match, begins: "", lasts: "2", until: "", comment: "" },
    turn: 0,
  };
  const [{ errors, values, turn }, submit, pending] = useActionState(makeSilence, start);
  const [match, setMatch] = useState(props.match);
  const [lasts, setLasts] = useState(values.lasts);
  const answer = usePreview(match, props.match, first);
  return (
    <form key={turn} action={submit} className={`${forms.form} ${styles.form}`}>
      <MatchField
        match={match}
        onChange={setMatch}
        zone={zone}
        fields={fields}
        label="Machines to silence"
        error={errors.match}
      />
      <div className={styles.preview} aria-live="polite">
        <SilencePreview match={match} answer={answer} />
        {scope === null ? null : <p className="dim">It covers {scope}: what you see, and nothing else.</p>}
      </div>
      <div className={forms.pair}>
        <TextInput
          label="Begins"
          description={`Empty: now. ${zoneText}`}
          name="begins"
          type="datetime-local"
          defaultValue={values.begins}
          error={errors.begins}
        />
        <NativeSelect
          label="Lasts"
          description="It ends by itself"
          name="lasts"
          value={lasts}
          onChange={(event) => setLasts(event.currentTarget.value)}
          error={errors.lasts}
          data={[
            { value: "1", label: "1 hour" },
            { value: "2", label: "2 hours" },
            { value: "4", label: "4 hours" },
            { value: "8", label: "8 hours" },
            { value: "24", label: "a day" },
            { value: "168", label: "a week" },
            { value: "until", label: "until…" },
          ]}
        />
      </div>
      {lasts === "until" || errors.until !== undefined ? (
        <TextInput
          label="Until"
          description={`${zoneText}; 90 days at most`}
          name="until"
          type="datetime-local"
          required={lasts === "until"}
          defaultValue={values.until}
          error={errors.until}
        />
      ) : null}
      <Textarea
        label="Why"
        description="For whoever wonders; may stay empty"
        name="comment"
        placeholder="px1 is replaced, NET-4410"
        maxLength={500}
        autosize
        minRows={2}
        defaultValue={values.comment}
        error={errors.comment}
      />
      <Submit pending={pending} main>
        Silence
      </Submit>
    </form>
  );
}

/** What the filter matches, asked anew at each change of it; the last answer stands until the next is there. */
function usePreview(match: string, asked: string, first: SilencePreviewAnswer): SilencePreviewAnswer {
  const [answer, setAnswer] = useState(first);
  const shown = useRef(asked);
  useEffect(() => {
    if (shown.current === match) return;
    const aborted = new AbortController();
    fetch(`/silences/preview?match=${encodeURIComponent(match)}`, { signal: aborted.signal })
      .then((response) => (response.ok ? response.json() : Promise.reject(new Error(`${response.status}`))))
      .then((found: SilencePreviewAnswer) => {
        shown.current = match;
        setAnswer(found);
      })
      .catch(() => {
        if (!aborted.signal.aborted)
          setAnswer({ preview: null, problem: "What it matches could not be asked; it can be made all the same." });
      });
    return () => aborted.abort();
  }, [match]);
  return answer;
}
