"use client";

import { Button } from "@mantine/core";
import { Icon } from "../icon.tsx";

/** Leads to the form of a report on the same page, opened. */
export function ReportButton() {
  const open = () => {
    const panel = document.getElementById("reports");
    const details = panel?.querySelector("details");
    if (!panel || !details) return;
    details.open = true;
    panel.scrollIntoView({ block: "center" });
    details.querySelector<HTMLInputElement>("input[name=user]")?.focus({ preventScroll: true });
  };
  return (
    <Button variant="subtle" leftSection={<Icon name="report" />} onClick={open}>
      Report a prompt
    </Button>
  );
}
