"use client";

import { Button } from "@mantine/core";
import { useEffect, useState } from "react";
import { copyText } from "../../lib/copy-text.ts";
import { Icon } from "../icon.tsx";
import { defaultColumns } from "./column-info.ts";
import type { Defaults } from "./query.ts";
import { useListState } from "./use-list-state.ts";

/** How long "Copied" stands (ms). */
const standsMs = 2_000;

/**
 * Copies the address of the list as it is shown. Columns that this browser alone remembers are put into it: whoever opens
 * the link sees the same.
 */
export function CopyLink({ defaults }: { defaults: Defaults }) {
  const { cols } = useListState(defaults);
  const [copied, setCopied] = useState(false);
  useEffect(() => {
    if (!copied) return;
    const timer = setTimeout(() => setCopied(false), standsMs);
    return () => clearTimeout(timer);
  }, [copied]);
  const copy = async () => {
    const address = new URL(window.location.href);
    if (cols.join() !== defaultColumns.join()) address.searchParams.set("cols", cols.join(","));
    setCopied(await copyText(address.href));
  };
  return (
    <Button
      variant="subtle"
      leftSection={<Icon name={copied ? "check" : "copy"} />}
      onClick={() => void copy()}
      aria-keyshortcuts="l"
    >
      <span aria-live="polite">{copied ? "Copied" : "Copy link"}</span>
    </Button>
  );
}
