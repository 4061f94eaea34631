"use client";

import { Button, PasswordInput, TextInput } from "@mantine/core";
import { useRouter } from "next/navigation";
import { useActionState, useEffect, useState } from "react";
import {
  beginTwoFactor,
  confirmTwoFactor,
  type FactorState,
  removeTwoFactor,
  renewRecoveryCodes,
} from "../../app/(app)/(skeleton)/settings/account/actions.ts";
import { Copyable } from "../forms/copyable.tsx";
import forms from "../forms/forms.module.css";
import { Submit } from "../forms/submit.tsx";
import styles from "./settings.module.css";

const start: FactorState = { step: "start", error: null, done: null };

/**
 * One's own second factor. What the server says of it changes in the middle, when its first code is right: what is on the
 * screen then, the recovery codes, stays until they are kept.
 */
export function TwoFactor({ on, mayRemove }: { on: boolean; mayRemove: boolean }) {
  const [shown, setShown] = useState(on);
  return shown ? (
    <KeepTwoFactor mayRemove={mayRemove} onRemoved={() => setShown(false)} />
  ) : (
    <SetUpTwoFactor onKept={() => setShown(true)} />
  );
}

/** The first thing after signing in, where the installation asks for it. */
export function FirstTwoFactor() {
  const router = useRouter();
  return <SetUpTwoFactor onKept={() => router.push("/")} />;
}

/** Password, app, first code, recovery codes. */
function SetUpTwoFactor({ onKept }: { onKept: () => void }) {
  const [state, act, pending] = useActionState(
    (before: FactorState, form: FormData) =>
      before.step === "confirm" ? confirmTwoFactor(before, form) : beginTwoFactor(before, form),
    start,
  );
  if (state.step === "codes") return <RecoveryCodes codes={state.codes} onKept={onKept} />;
  if (state.step === "start")
    return (
      <form action={act} className={forms.form}>
        <PasswordInput
          label="Password"
          name="password"
          autoComplete="current-password"
          required
          error={state.error ?? undefined}
        />
        <Submit pending={pending} done={state.done}>
          Set up an app
        </Submit>
      </form>
    );
  return (
    <form action={act} className={forms.form}>
      <ol className={styles.steps}>
        <li>
          Scan the picture with an authenticator app, or type the key there.
          <div className={styles.scan}>
            <svg
              viewBox={`0 0 ${state.picture.size} ${state.picture.size}`}
              width="168"
              height="168"
              role="img"
              aria-label="QR code of the key"
            >
              <rect width="100%" height="100%" fill="#fff" />
              <path d={state.picture.path} fill="#000" shapeRendering="crispEdges" />
            </svg>
            <Copyable value={state.secret.match(/.{1,4}/g)?.join(" ") ?? state.secret} label="Copy key" />
          </div>
        </li>
        <li>
          Type the code that it shows.
          <TextInput
            aria-label="Code of the app"
            name="code"
            inputMode="numeric"
            autoComplete="one-time-code"
            required
            maxLength={12}
            classNames={{ input: "mono", root: styles.codeField ?? "" }}
            error={state.error ?? undefined}
          />
        </li>
      </ol>
      <Submit pending={pending}>Confirm</Submit>
    </form>
  );
}

/** With a second factor: new recovery codes, or none any more. Both ask for the password. */
function KeepTwoFactor({ mayRemove, onRemoved }: { mayRemove: boolean; onRemoved: () => void }) {
  const [renewed, renew, renewing] = useActionState(renewRecoveryCodes, start);
  const [removed, remove, removing] = useActionState(removeTwoFactor, start);
  const [kept, setKept] = useState<readonly string[] | null>(null);
  const isRemoved = removed.step === "start" && removed.done !== null;
  useEffect(() => {
    if (isRemoved) onRemoved();
  }, [isRemoved, onRemoved]);
  if (renewed.step === "codes" && renewed.codes !== kept)
    return <RecoveryCodes codes={renewed.codes} onKept={() => setKept(renewed.codes)} />;
  const error = [renewed, removed].map((state) => (state.step === "start" ? state.error : null)).find(Boolean);
  return (
    <form className={forms.form}>
      <PasswordInput
        label="Password"
        name="password"
        autoComplete="current-password"
        required
        error={error ?? undefined}
      />
      <div className={forms.acts}>
        <Button type="submit" variant="default" formAction={renew} loading={renewing}>
          New recovery codes
        </Button>
        {mayRemove ? (
          <Button type="submit" variant="default" formAction={remove} loading={removing}>
            Remove the second factor
          </Button>
        ) : null}
      </div>
    </form>
  );
}

function RecoveryCodes({ codes, onKept }: { codes: readonly string[]; onKept: () => void }) {
  return (
    <div className={forms.form}>
      <p>
        Keep these recovery codes where the phone is not: each lets you in once without it. This is the only time they
        are shown.
      </p>
      <ul className={styles.codes}>
        {codes.map((code) => (
          <li key={code} className="mono">
            {code}
          </li>
        ))}
      </ul>
      <Copyable value={codes.join("\n")} label="Copy codes" main>
        <Button variant="default" onClick={onKept}>
          They are kept, go on
        </Button>
      </Copyable>
    </div>
  );
}
