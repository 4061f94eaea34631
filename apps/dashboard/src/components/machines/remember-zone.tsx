"use client";

import { useRouter } from "next/navigation";
import { useEffect } from "react";

/** Leaves the browser's time zone where the server reads it, and asks for the page again when that changed it. */
export function RememberZone({ zone }: { zone: string }) {
  const router = useRouter();
  useEffect(() => {
    const here = Intl.DateTimeFormat().resolvedOptions().timeZone;
    if (here === zone || document.cookie.includes(`zone=${encodeURIComponent(here)}`)) return;
    // biome-ignore lint/suspicious/noDocumentCookie: the Cookie Store API is not everywhere yet.
    document.cookie = `zone=${encodeURIComponent(here)}; path=/; max-age=31536000; samesite=lax`;
    router.refresh();
  }, [zone, router]);
  return null;
}
