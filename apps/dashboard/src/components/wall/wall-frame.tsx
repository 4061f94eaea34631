"use client";

import { formatDuration } from "@lynceus/protocol/present";
import { useRouter } from "next/navigation";
import { type ReactNode, useEffect, useRef, useState, useTransition } from "react";
import { Mark } from "../mark.tsx";
import { freshnessOf } from "./freshness.ts";
import styles from "./wall.module.css";

/** The board is read again this often (ms). */
const everyMs = 10_000;
/** A reading that takes longer than this (ms) is given up: a slow server is not asked twice at once, a dead one again. */
const givenUpMs = 60_000;

/**
 * What a screen shows that nobody touches: how old its newest data is, and, when that is too old, that it is not live.
 * `asOf` is the server's time of the page, `countedAt` when the fleet was last counted (ms).
 */
export function WallFrame(props: {
  asOf: number;
  countedAt: number | null;
  zone: string;
  sees: string;
  headline: ReactNode;
  children: ReactNode;
}) {
  const { asOf, countedAt, zone, sees, headline, children } = props;
  const router = useRouter();
  const [now, setNow] = useState(asOf);
  // The screen's clock may be wrong: only how long ago the page came is taken from it.
  const came = useRef({ asOf, at: 0 });
  useEffect(() => {
    came.current = { asOf, at: Date.now() };
    setNow(asOf);
  }, [asOf]);
  const [reading, startReading] = useTransition();
  const readingSince = useRef<number | null>(null);
  useEffect(() => {
    if (!reading) readingSince.current = null;
  }, [reading]);
  useEffect(() => {
    const tick = setInterval(() => setNow(came.current.asOf + Date.now() - came.current.at), 1_000);
    const notNow = () => {
      readingSince.current = null;
    };
    const read = setInterval(() => {
      if (readingSince.current !== null && Date.now() - readingSince.current < givenUpMs) return;
      readingSince.current = Date.now();
      // A page that fails to load would leave the screen blank: it is asked for once something answers.
      fetch("/wall/alive", { cache: "no-store" }).then(
        ({ status }) => (status < 500 ? startReading(() => router.refresh()) : notNow()),
        notNow,
      );
    }, everyMs);
    return () => {
      clearInterval(tick);
      clearInterval(read);
    };
  }, [router]);

  const { newestAt, live } = freshnessOf({ asOf, countedAt }, now);
  const time = (at: number, options: Intl.DateTimeFormatOptions) =>
    new Intl.DateTimeFormat("en-GB", { timeZone: zone, hourCycle: "h23", ...options }).format(at);
  const clock = { hour: "2-digit", minute: "2-digit" } as const;
  return (
    <main className={styles.board} data-board={live ? "live" : "lost"}>
      <header>
        <span className={styles.mark}>
          <Mark />
        </span>
        <b>Lynceus</b>
        <bdi className={styles.quiet}>{sees}</bdi>
        <span className={styles.age} suppressHydrationWarning>
          {newestAt === null ? (
            "Not counted yet"
          ) : (
            <>
              {live ? <i /> : null}
              {live ? "Live, newest data " : "Newest data "}
              {formatDuration(Math.max(0, now - newestAt))} old
            </>
          )}
        </span>
        <span className={styles.clock} suppressHydrationWarning>
          {time(now, { weekday: "short", day: "numeric", month: "short" })}&ensp;{time(now, clock)}{" "}
          {new Intl.DateTimeFormat("en-GB", { timeZone: zone, timeZoneName: "short" })
            .formatToParts(now)
            .find(({ type }) => type === "timeZoneName")?.value ?? zone}
        </span>
      </header>
      <h1 className={styles.headline}>
        {live ? (
          headline
        ) : (
          <span className={styles.lost}>
            {newestAt === null
              ? "Not live: no collector has counted the fleet yet."
              : `Not live since ${time(newestAt, { ...clock, second: "2-digit" })}. What is below was true then.`}
          </span>
        )}
      </h1>
      <div className={styles.rest}>{children}</div>
    </main>
  );
}
