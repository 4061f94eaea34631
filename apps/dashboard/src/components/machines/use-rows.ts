import type { MachineRow } from "@lynceus/protocol/read-api";
import { notifications } from "@mantine/notifications";
import { useCallback, useEffect, useRef, useState } from "react";
import { insteadOf, type Loaded, place, windowOf } from "./rows-window.ts";

export interface RowsPage {
  items: MachineRow[];
  total: number;
  asOf: string;
}

/** What is asked for, and how many rows there are as far as is known: it helps the server to choose its way. */
interface Question {
  query: string;
  sort: string;
}

/** Rows are asked for in pieces of this many. */
const piece = 100;
/** A pause in scrolling this long (ms) is when rows are asked for: who drags past thousands of them asks for none. */
const restMs = 70;

/** Rows from a place of the list. Throws where the server has no answer. */
export async function fetchRows(question: Question, skip: number, limit: number, total: number): Promise<RowsPage> {
  const params = new URLSearchParams({
    q: question.query,
    sort: question.sort,
    skip: String(skip),
    limit: String(limit),
    total: String(total),
  });
  const response = await fetch(`/machines/rows?${params}`);
  if (!response.ok) throw new Error(`GET /machines/rows answered ${response.status}`);
  return (await response.json()) as RowsPage;
}

/**
 * The rows of a list of any length, of which only what is looked at is loaded. A live update changes values in place; one
 * that would move rows waits until it is asked for, so that nothing jumps under the pointer.
 */
export function useRows(first: RowsPage, question: Question) {
  const [loaded, setLoaded] = useState<Loaded>(() => place(first));
  const [pending, setPending] = useState<{ page: RowsPage; from: number; moved: number } | null>(null);
  const [changed, setChanged] = useState<ReadonlySet<string>>(new Set());
  const latest = useRef({ loaded, question, range: { from: 0, to: 0 } });
  latest.current.loaded = loaded;
  latest.current.question = question;
  const seen = useRef(first.asOf);
  const busy = useRef(new Set<number>());
  const timer = useRef<ReturnType<typeof setTimeout>>(undefined);

  // Another question has another answer: nothing of the rows before is kept.
  const key = `${question.sort} ${question.query}`;
  const [asked, setAsked] = useState(key);
  if (asked !== key) {
    setAsked(key);
    setLoaded(place(first));
    setPending(null);
    setChanged(new Set());
  }

  const load = useCallback(async (from: number, to: number) => {
    const { question: current } = latest.current;
    for (let at = Math.floor(from / piece) * piece; at < to; at += piece) {
      const { loaded: now } = latest.current;
      const end = Math.min(at + piece, now.total);
      let missing = false;
      for (let i = at; i < end; i++) missing ||= !now.rows.has(i);
      if (!missing || busy.current.has(at)) continue;
      busy.current.add(at);
      try {
        const page = await fetchRows(current, at, piece, now.total);
        if (latest.current.question.query !== current.query || latest.current.question.sort !== current.sort) return;
        setLoaded((was) => ({ ...was, rows: insteadOf(was.rows, page.items, at) }));
      } catch {
        notifications.show({ id: "rows", message: "Rows could not be read. Those shown are kept." });
      } finally {
        busy.current.delete(at);
      }
    }
  }, []);

  const look = useCallback(
    (from: number, to: number) => {
      latest.current.range = { from, to };
      clearTimeout(timer.current);
      timer.current = setTimeout(() => void load(from, to), restMs);
    },
    [load],
  );
  useEffect(() => () => clearTimeout(timer.current), []);

  useEffect(() => {
    if (first.asOf === seen.current) return;
    seen.current = first.asOf;
    let current = true;
    const take = (page: RowsPage, from: number) => {
      if (!current) return;
      const { loaded: was } = latest.current;
      // Nothing is under the pointer yet: the first machines show by themselves.
      if (was.total === 0) {
        setLoaded(place(page));
        setPending(null);
        return;
      }
      const { rows, touched, moved } = windowOf(was, page, from);
      setChanged(new Set(touched));
      setLoaded({ rows, total: was.total, asOf: page.asOf });
      setPending(moved > 0 || page.total !== was.total ? { page, from, moved: Math.max(1, moved) } : null);
    };
    const { from, to } = latest.current.range;
    if (to <= first.items.length) take(first, 0);
    else
      fetchRows(latest.current.question, from, Math.min(to - from, 500), first.total).then(
        (page) => take({ ...page, total: first.total }, from),
        // The next change asks again.
        () => {},
      );
    return () => {
      current = false;
    };
  }, [first]);

  return {
    ...loaded,
    waiting: pending?.moved ?? 0,
    changed,
    look,
    show: () => {
      if (!pending) return;
      const { page, from } = pending;
      setLoaded({ rows: insteadOf(new Map(), page.items, from), total: page.total, asOf: page.asOf });
      setPending(null);
    },
  };
}
