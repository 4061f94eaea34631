"use client";

import { useRouter } from "next/navigation";
import { useEffect } from "react";
import { isTyping } from "../use-key.ts";

/** `1` to `6` open a target, `r` the raw probe. Off while typing. */
export function TargetKeys({ targets, raw }: { targets: string[]; raw: string | null }) {
  const router = useRouter();
  useEffect(() => {
    const pressed = (event: KeyboardEvent) => {
      if (event.defaultPrevented || event.ctrlKey || event.metaKey || event.altKey) return;
      if (isTyping(event.target)) return;
      const href = event.key === "r" ? raw : /^[1-6]$/.test(event.key) ? targets[Number(event.key) - 1] : null;
      if (!href) return;
      event.preventDefault();
      router.push(href, { scroll: false });
    };
    window.addEventListener("keydown", pressed);
    return () => window.removeEventListener("keydown", pressed);
  }, [router, targets, raw]);
  return null;
}
