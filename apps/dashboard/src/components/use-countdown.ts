"use client";

import { useEffect, useRef, useState } from "react";

/** Whole seconds left of a span that began with `key`; counts down by itself. */
export function useCountdown(leftMs: number, key: number): number {
  const [left, setLeft] = useState(Math.max(0, Math.ceil(leftMs / 1000)));
  const first = useRef(leftMs);
  first.current = leftMs;
  // biome-ignore lint/correctness/useExhaustiveDependencies: it begins anew with each key, and not as time passes.
  useEffect(() => {
    const ends = performance.now() + first.current;
    const tick = () => {
      const seconds = Math.max(0, Math.ceil((ends - performance.now()) / 1000));
      setLeft(seconds);
      if (seconds === 0) clearInterval(timer);
    };
    const timer = setInterval(tick, 250);
    tick();
    return () => clearInterval(timer);
  }, [key]);
  return left;
}
