"use client";

import { useRouter } from "next/navigation";
import {
  createContext,
  type ReactNode,
  useContext,
  useEffect,
  useEffectEvent,
  useMemo,
  useRef,
  useState,
  useTransition,
} from "react";

/** No event or heartbeat for this long: the page no longer claims to be live (ms). */
const silentAfter = 15_000;
/** The browser is asked to connect again this long after a break, doubled up to the longest (ms). */
const firstRetry = 1_000;
const longestRetry = 30_000;

export interface Live {
  /** `connecting` only until the first word of the stream. */
  state: "connecting" | "live" | "lost";
  /** When the stream was last heard (ms, this browser's clock); null before that. */
  heardAt: number | null;
  /** When the next attempt to connect is made (ms); null while connected. */
  retryAt: number | null;
  /** How often data changed since this page was loaded. */
  changes: number;
}

const LiveContext = createContext<Live>({ state: "connecting", heardAt: null, retryAt: null, changes: 0 });

/** Whether the page follows the fleet now. Pages refresh by themselves: the provider does it at each change. */
export function useLive(): Live {
  return useContext(LiveContext);
}

/**
 * Holds the one event stream of a tab (`GET /api/live`) and renders the route again at each `change`.
 * The server sends at most one change a second and a heartbeat each 10 s.
 */
export function LiveProvider({ children }: { children: ReactNode }) {
  const router = useRouter();
  const [live, setLive] = useState<Live>({ state: "connecting", heardAt: null, retryAt: null, changes: 0 });
  // What arrived while the tab was hidden, or while the page was rendered again, is shown afterwards.
  const owed = useRef(false);
  const [rendering, startRendering] = useTransition();
  // One at a time: React shows the last of several that overlap, and in a storm there is always one more.
  const refresh = useEffectEvent(() => {
    owed.current = document.hidden || rendering;
    if (!owed.current) startRendering(() => router.refresh());
  });
  useEffect(() => {
    if (!rendering && owed.current) refresh();
  }, [rendering]);

  useEffect(() => {
    let source: EventSource | null = null;
    let retry: ReturnType<typeof setTimeout> | undefined;
    let silence: ReturnType<typeof setTimeout> | undefined;
    let delay = firstRetry;
    let missed = false;

    const heard = (changed: boolean) => {
      clearTimeout(silence);
      silence = setTimeout(lost, silentAfter);
      delay = firstRetry;
      setLive((was) => ({
        state: "live",
        heardAt: Date.now(),
        retryAt: null,
        changes: was.changes + (changed ? 1 : 0),
      }));
      if (changed) refresh();
    };
    const lost = () => {
      source?.close();
      source = null;
      missed = true;
      clearTimeout(silence);
      clearTimeout(retry);
      const wait = delay;
      delay = Math.min(delay * 2, longestRetry);
      retry = setTimeout(connect, wait);
      setLive((was) => {
        // A short break is not worth a banner: it is called lost when the silence is long enough.
        const silent = was.heardAt === null || Date.now() - was.heardAt >= silentAfter;
        return { ...was, state: silent ? "lost" : was.state, retryAt: Date.now() + wait };
      });
    };
    const connect = () => {
      const opened = new EventSource("/api/live");
      source = opened;
      clearTimeout(silence);
      silence = setTimeout(lost, silentAfter);
      opened.addEventListener("hello", () => {
        // What happened while nobody listened is not repeated by the server: read the page again.
        heard(missed);
        missed = false;
      });
      opened.addEventListener("change", () => heard(true));
      opened.addEventListener("heartbeat", () => heard(false));
      opened.onerror = () => {
        lost();
        // A stream does not say why it was refused. Data stays on screen through an outage, not after signing out.
        fetch("/api/go-to?q=", { cache: "no-store" }).then(
          (answer) => {
            if (answer.status !== 401) return;
            const here = window.location.pathname + window.location.search;
            window.location.assign(`/login?next=${encodeURIComponent(here)}`);
          },
          () => {},
        );
      };
    };
    const looked = () => {
      if (!document.hidden && owed.current) refresh();
    };

    connect();
    document.addEventListener("visibilitychange", looked);
    return () => {
      document.removeEventListener("visibilitychange", looked);
      clearTimeout(retry);
      clearTimeout(silence);
      source?.close();
    };
  }, []);

  // While the stream is down no timer of it runs: this one notices that the silence has become long.
  useEffect(() => {
    if (live.state !== "live" || live.retryAt === null || live.heardAt === null) return;
    const left = Math.max(0, live.heardAt + silentAfter - Date.now());
    const timer = setTimeout(() => setLive((was) => (was.retryAt === null ? was : { ...was, state: "lost" })), left);
    return () => clearTimeout(timer);
  }, [live]);

  const value = useMemo(() => live, [live]);
  return <LiveContext value={value}>{children}</LiveContext>;
}
