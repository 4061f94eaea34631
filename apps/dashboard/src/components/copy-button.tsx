"use client";

import { Button, CopyButton as MantineCopyButton } from "@mantine/core";
import { Icon } from "./icon.tsx";

/** Copies `value`; says so in place. */
export function CopyButton(props: { value: string; label: string; variant?: "filled" | "default" | "subtle" }) {
  const { value, label, variant = "default" } = props;
  return (
    <MantineCopyButton value={value} timeout={2000}>
      {({ copied, copy }) => (
        <Button variant={variant} onClick={copy} leftSection={<Icon name={copied ? "check" : "copy"} />}>
          <span aria-live="polite">{copied ? "Copied" : label}</span>
        </Button>
      )}
    </MantineCopyButton>
  );
}
