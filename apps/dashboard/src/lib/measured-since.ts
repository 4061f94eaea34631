/** Patterns are measured by the helpdesk reports of this many days: as long as reports are taken. */
const days = 90;

export function measuredSince(now: Date): Date {
  return new Date(now.getTime() - days * 86_400_000);
}
