import { formatTime } from "@lynceus/protocol/present";

/** A moment to come or gone by, with its time of day whatever the day: "14:30", "Sat 14:30", "5 Dec 14:30". */
export function momentText(at: number, { now, zone }: { readonly now: number; readonly zone: string }): string {
  const text = formatTime(at, { now, zone });
  if (/\d:\d\d$/.test(text)) return text;
  const clock = formatTime(at, { now: at, zone });
  // A day ahead within a week is called by its name, as a day gone by is.
  const ahead = at - now;
  return ahead > 0 && ahead < 6 * 86_400_000
    ? `${new Intl.DateTimeFormat("en-GB", { timeZone: zone, weekday: "short" }).format(at)} ${clock}`
    : `${text} ${clock}`;
}
