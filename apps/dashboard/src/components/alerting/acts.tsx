"use client";

import { useActionState } from "react";
import {
  type ActState,
  removePiece,
  restoreVersion,
  retry,
  testReceiver,
} from "../../app/(app)/(skeleton)/alerting/actions.ts";
import { ConfirmButton } from "../confirm-button.tsx";
import forms from "../forms/forms.module.css";
import { Submit } from "../forms/submit.tsx";

const start: ActState = { said: null, bad: false, turn: 0 };

function Said({ state }: { state: ActState }) {
  return (
    <span role="status" className={state.bad ? "bad" : "dim"}>
      {state.said}
    </span>
  );
}

/** Takes a piece away, asked twice. */
export function RemovePiece({ kind, id, name }: { kind: string; id: string; name: string }) {
  const [state, submit] = useActionState(removePiece, start);
  return (
    <form action={submit} className={forms.submit}>
      <input type="hidden" name="kind" value={kind} />
      <input type="hidden" name="id" value={id} />
      <ConfirmButton label="Remove" again="Remove it for good?" describes={name} />
      <Said state={state} />
    </form>
  );
}

/** Sends a test; what became of it stands in the list below. */
export function TestReceiver({ id }: { id: string }) {
  const [state, submit, pending] = useActionState(testReceiver, start);
  return (
    <form action={submit}>
      <input type="hidden" name="id" value={id} />
      <Submit pending={pending} done={state.said}>
        Send a test
      </Submit>
    </form>
  );
}

/** Sends a notice again now. */
export function RetryNotice({ id, describes }: { id: string; describes: string }) {
  const [state, submit] = useActionState(retry, start);
  return (
    <form action={submit} className={forms.submit}>
      <input type="hidden" name="id" value={id} />
      <ConfirmButton label="Send again" describes={describes} />
      <Said state={state} />
    </form>
  );
}

/** Makes an earlier version the next one. */
export function RestoreVersion({ version, over }: { version: number; over: number }) {
  const [state, submit] = useActionState(restoreVersion, start);
  return (
    <form action={submit} className={forms.submit}>
      <input type="hidden" name="version" value={version} />
      <input type="hidden" name="over" value={over} />
      <ConfirmButton label="Restore this version" again={`Save it as version ${over + 1}?`} />
      <Said state={state} />
    </form>
  );
}
