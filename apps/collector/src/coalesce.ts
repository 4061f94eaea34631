/**
 * Work that many may ask for: it runs once at a time, and once more when it was asked for meanwhile.
 * @param work must handle its own errors; a rejection ends this round only.
 */
export function coalesce(work: () => Promise<void>, onError: (error: unknown) => void) {
  let running: Promise<void> | null = null;
  let again = false;

  const run = async () => {
    do {
      again = false;
      try {
        await work();
      } catch (error) {
        onError(error);
        return;
      }
    } while (again);
  };

  return {
    ask(): void {
      again = true;
      running ??= run().finally(() => {
        running = null;
      });
    },
    /** Resolves when nothing runs. */
    async idle(): Promise<void> {
      while (running) await running;
    },
  };
}
