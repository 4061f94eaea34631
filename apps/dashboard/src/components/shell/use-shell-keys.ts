"use client";

import type { Access } from "@lynceus/protocol/access";
import { useRouter } from "next/navigation";
import { useEffect, useRef } from "react";
import { isTyping } from "../use-key.ts";
import { shellPages } from "./pages.ts";

/** `g` waits this long for its second letter (ms). */
const chordMs = 1_500;

/**
 * Keys that work on every page: `Ctrl K` anywhere; `[`, `Shift D`, `?`, `l`, and `g` with a page's letter are off while
 * typing.
 */
export function useShellKeys(
  access: Access,
  acts: { goTo: () => void; toggleSidebar: () => void; toggleScheme: () => void; showHelp: () => void },
) {
  const router = useRouter();
  const latest = useRef(acts);
  latest.current = acts;
  useEffect(() => {
    let chordUntil = 0;
    const pressed = (event: KeyboardEvent) => {
      if ((event.ctrlKey || event.metaKey) && !event.altKey && !event.shiftKey && event.key === "k") {
        event.preventDefault();
        latest.current.goTo();
        return;
      }
      if (event.defaultPrevented || event.ctrlKey || event.metaKey || event.altKey || isTyping(event.target)) return;
      if (event.timeStamp < chordUntil) {
        chordUntil = 0;
        const page = shellPages(access).find((candidate) => candidate.key === event.key);
        if (page === undefined) return;
        event.preventDefault();
        router.push(page.href);
        return;
      }
      if (event.key === "g") chordUntil = event.timeStamp + chordMs;
      else if (event.key === "[") latest.current.toggleSidebar();
      else if (event.key === "D" && event.shiftKey) latest.current.toggleScheme();
      else if (event.key === "?") latest.current.showHelp();
      else if (event.key === "l") void navigator.clipboard?.writeText(window.location.href);
      else return;
      event.preventDefault();
    };
    window.addEventListener("keydown", pressed);
    return () => window.removeEventListener("keydown", pressed);
  }, [router, access]);
}
