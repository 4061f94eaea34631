"use client";

import { useRouter } from "next/navigation";
import { useEffect } from "react";

/** How often something that runs is read again (ms). */
const everyMs = 1_500;

/** Reads the page again while something on it runs, also where no event tells of each step. */
export function RefreshWhile({ running }: { running: boolean }) {
  const router = useRouter();
  useEffect(() => {
    if (!running) return;
    const timer = setInterval(() => {
      if (!document.hidden) router.refresh();
    }, everyMs);
    return () => clearInterval(timer);
  }, [router, running]);
  return null;
}
