"use client";

import { useEffect, useState } from "react";
import { Banner } from "../status/banner.tsx";
import { useLive } from "./live.tsx";
import styles from "./shell.module.css";

/** "Not live since 03:14:07": the page, not the fleet, is the problem. */
export function NotLiveBanner() {
  const live = useLive();
  const [now, setNow] = useState<number | null>(null);
  const lost = live.state === "lost";
  useEffect(() => {
    if (!lost) return;
    setNow(Date.now());
    const timer = setInterval(() => setNow(Date.now()), 1_000);
    return () => clearInterval(timer);
  }, [lost]);
  if (!lost) return null;

  const since =
    live.heardAt === null
      ? null
      : new Intl.DateTimeFormat(undefined, { timeStyle: "medium", hourCycle: "h23" }).format(live.heardAt);
  const wait = live.retryAt === null || now === null ? 0 : Math.ceil((live.retryAt - now) / 1_000);
  return (
    <div className={styles.notLive}>
      <Banner mark="blind">
        <b>{since === null ? "Not live." : `Not live since ${since}.`}</b>{" "}
        <span aria-hidden="true">{wait > 0 ? `Trying again in ${wait} s.` : "Trying again now."}</span>{" "}
        {since === null ? "Numbers below are of when the page was opened." : "Numbers below are of that moment."}
      </Banner>
    </div>
  );
}
