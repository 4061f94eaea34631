"use client";

import { Button } from "@mantine/core";
import { useClipboard } from "@mantine/hooks";
import { Icon } from "../icon.tsx";

/** Copies the address of the page as it is shown: everything on screen is in it. */
export function CopyLink() {
  const clipboard = useClipboard({ timeout: 2000 });
  return (
    <Button
      variant="subtle"
      leftSection={<Icon name={clipboard.copied ? "check" : "copy"} />}
      onClick={() => clipboard.copy(window.location.href)}
    >
      <span aria-live="polite">{clipboard.copied ? "Copied" : "Copy link"}</span>
    </Button>
  );
}
