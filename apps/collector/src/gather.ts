interface Asker<T> {
  readonly id: string;
  readonly resolve: (found: T | null) => void;
  readonly reject: (error: unknown) => void;
}

/**
 * Look-ups by id that many ask for at once: one query at a time, of all who asked while the one before ran. When a
 * collector restarts, its whole fleet says hello within seconds.
 * @param look ids to what was found; what is absent was not found. A rejection is everyone's who waited for it.
 */
export function gatherer<T>(look: (ids: string[]) => Promise<ReadonlyMap<string, T>>, most = 500) {
  let waiting: Asker<T>[] = [];
  let running = false;

  const run = async () => {
    running = true;
    // Whoever asks in the same turn of the event loop comes along.
    await new Promise((resolve) => setImmediate(resolve));
    while (waiting.length > 0) {
      const askers = waiting.slice(0, most);
      waiting = waiting.slice(most);
      try {
        const found = await look([...new Set(askers.map(({ id }) => id))]);
        for (const { id, resolve } of askers) resolve(found.get(id) ?? null);
      } catch (error) {
        for (const { reject } of askers) reject(error);
      }
    }
    running = false;
  };

  return {
    find: (id: string): Promise<T | null> =>
      new Promise((resolve, reject) => {
        waiting.push({ id, resolve, reject });
        if (!running) void run();
      }),
  };
}
