"use client";

import { useEffect, useState } from "react";
import { useLive } from "./live.tsx";
import styles from "./shell.module.css";

const clock: Intl.DateTimeFormatOptions = {
  hour: "2-digit",
  minute: "2-digit",
  second: "2-digit",
  hourCycle: "h23",
  timeZoneName: "short",
};

/** The moment of the page's snapshot in the viewer's zone, with a dot while the page is live. `asOf` in ms. */
export function LiveIndicator({ asOf }: { asOf: number }) {
  const live = useLive();
  // The server knows neither the viewer's zone nor language: the time is written after the first render.
  const [text, setText] = useState<string | null>(null);
  useEffect(() => setText(new Intl.DateTimeFormat(undefined, clock).format(asOf)), [asOf]);
  return (
    <time
      className={styles.live}
      data-state={live.state}
      dateTime={new Date(asOf).toISOString()}
      title={new Date(asOf).toISOString()}
    >
      {live.state === "live" ? <i aria-hidden="true" /> : null}
      <span>{live.state === "live" ? "Live" : live.state === "lost" ? "Not live" : "As of"}</span>
      {text === null ? null : (
        <span className={styles.liveTime}>
          {live.state === "connecting" ? "" : "· "}
          {text}
        </span>
      )}
    </time>
  );
}
