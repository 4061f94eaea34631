"use client";

import { formatTime } from "@lynceus/protocol/present";
import { useEffect, useState } from "react";

/** A time in the viewer's zone: today `02:41`, this week `Mon 21:10`, else `17 Nov`. Full time on pointing. Both in ms. */
export function LocalTime({ at, now }: { at: number; now: number }) {
  // The server does not know the viewer's zone: it writes UTC, which is put right after the first render.
  const [text, setText] = useState(() => formatTime(at, { now, zone: "UTC" }));
  useEffect(() => {
    setText(formatTime(at, { now, zone: Intl.DateTimeFormat().resolvedOptions().timeZone }));
  }, [at, now]);
  return (
    <time dateTime={new Date(at).toISOString()} title={new Date(at).toISOString()}>
      {text}
    </time>
  );
}
