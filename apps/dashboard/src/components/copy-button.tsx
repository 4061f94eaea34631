"use client";

import { Button } from "@mantine/core";
import dynamic from "next/dynamic";
import { useEffect, useState } from "react";
import { copyText } from "../lib/copy-text.ts";
import { Icon } from "./icon.tsx";
import { useKey } from "./use-key.ts";

/** Few browsers need it. */
const CopyByHand = dynamic(() => import("./copy-by-hand.tsx").then((file) => file.CopyByHand), { ssr: false });

/** How long "Copied" stands (ms). */
const standsMs = 2_000;

/** Copies `value`; says so in place. Where no clipboard can be had, shows the text selected. `pressed` is a key for it. */
export function CopyButton(props: {
  value: string;
  label: string;
  variant?: "filled" | "default" | "subtle";
  /** A key that does the same anywhere on the page; off while typing. */
  shortcut?: string;
}) {
  const { value, label, variant = "default", shortcut } = props;
  const [state, setState] = useState<"idle" | "copied" | "by-hand">("idle");
  useEffect(() => {
    if (state !== "copied") return;
    const timer = setTimeout(() => setState("idle"), standsMs);
    return () => clearTimeout(timer);
  }, [state]);
  const copy = async () => setState((await copyText(value)) ? "copied" : "by-hand");

  useKey(shortcut, () => void copy());

  return (
    <>
      <Button
        variant={variant}
        onClick={() => void copy()}
        leftSection={<Icon name={state === "copied" ? "check" : "copy"} />}
        {...(shortcut === undefined ? {} : { "aria-keyshortcuts": shortcut })}
      >
        <span aria-live="polite">{state === "copied" ? "Copied" : label}</span>
      </Button>
      {state === "by-hand" ? <CopyByHand text={value} title={label} onClose={() => setState("idle")} /> : null}
    </>
  );
}
