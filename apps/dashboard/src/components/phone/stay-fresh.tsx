"use client";

import { useRouter } from "next/navigation";
import { useEffect } from "react";

/** The page is read again this often while it is looked at (ms): whoever has only a link has no live stream. */
const everyMs = 20_000;

export function StayFresh() {
  const router = useRouter();
  useEffect(() => {
    const timer = setInterval(() => {
      if (!document.hidden && navigator.onLine) router.refresh();
    }, everyMs);
    return () => clearInterval(timer);
  }, [router]);
  return null;
}
