"use client";

import { Button } from "@mantine/core";
import { type MouseEvent, useEffect, useState } from "react";
import { useFormStatus } from "react-dom";

/** How long the second question stands (ms). */
const standsMs = 5_000;

/**
 * Submits its form, or calls `onConfirm` where that is given. With `again` it asks once more in place, without a dialog;
 * Esc or waiting takes it back.
 */
export function ConfirmButton(props: { label: string; again?: string; describes?: string; onConfirm?: () => void }) {
  const { label, again, describes, onConfirm } = props;
  const { pending } = useFormStatus();
  const [asked, setAsked] = useState(false);
  useEffect(() => {
    if (!asked) return;
    const timer = setTimeout(() => setAsked(false), standsMs);
    return () => clearTimeout(timer);
  }, [asked]);
  const press = (event: MouseEvent) => {
    if (again === undefined || asked) {
      onConfirm?.();
      return;
    }
    event.preventDefault();
    setAsked(true);
  };
  const words = asked && again !== undefined ? again : label;
  return (
    <Button
      type={onConfirm === undefined ? "submit" : "button"}
      variant="default"
      loading={pending}
      onClick={press}
      onKeyDown={(event) => event.key === "Escape" && setAsked(false)}
      {...(describes === undefined ? {} : { "aria-label": `${words}: ${describes}` })}
    >
      {words}
    </Button>
  );
}
