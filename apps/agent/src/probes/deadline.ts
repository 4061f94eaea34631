/** Why a phase ended: its time was up. */
export class DeadlineError extends Error {
  constructor(ms: number) {
    super(`no result within ${ms} ms`);
  }
}

/**
 * Runs `work` for at most `ms`. `work` gets a signal that aborts at the deadline or with `outer`, and must let go of
 * its sockets then; the returned promise rejects with the signal's reason even where `work` does not listen.
 */
export async function withDeadline<T>(
  ms: number,
  outer: AbortSignal,
  work: (signal: AbortSignal) => Promise<T>,
): Promise<T> {
  outer.throwIfAborted();
  const controller = new AbortController();
  const onOuter = () => controller.abort(outer.reason);
  outer.addEventListener("abort", onOuter, { once: true });
  const timer = setTimeout(() => controller.abort(new DeadlineError(ms)), ms);
  const stopped = new Promise<never>((_, reject) => {
    controller.signal.addEventListener("abort", () => reject(controller.signal.reason), { once: true });
  });
  try {
    return await Promise.race([work(controller.signal), stopped]);
  } finally {
    clearTimeout(timer);
    outer.removeEventListener("abort", onOuter);
  }
}
