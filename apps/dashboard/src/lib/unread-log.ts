/**
 * Writing on when nobody reads the log any more, as when whoever started the process was killed, does nothing. Otherwise
 * Next.js logs the failed write, which fails as well, and the process does nothing else from then on.
 */
export function surviveUnreadLog(): void {
  process.stdout.on("error", () => {});
  process.stderr.on("error", () => {});
}
