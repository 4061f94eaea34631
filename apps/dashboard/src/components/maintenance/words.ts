import type { Maintenance, Weekday } from "@lynceus/protocol/alerting";
import { formatDuration } from "@lynceus/protocol/present";

export const dayNames: Record<Weekday, string> = {
  mon: "Monday",
  tue: "Tuesday",
  wed: "Wednesday",
  thu: "Thursday",
  fri: "Friday",
  sat: "Saturday",
  sun: "Sunday",
};
/** The days of a week, in order. */
export const weekdays = Object.keys(dayNames) as Weekday[];
export const nthNames: Record<string, string> = { 1: "first", 2: "second", 3: "third", 4: "fourth", [-1]: "last" };

const listed = (words: readonly string[]): string =>
  words.length < 2 ? words.join("") : `${words.slice(0, -1).join(", ")} and ${words.at(-1)}`;

const wall = (text: string): string => text.replace("T", " ");

/** "Every Sunday at 02:00 for 3 h", by its own zone's clock. */
export function ruleText({ when }: Pick<Maintenance, "when">): string {
  switch (when.kind) {
    case "once":
      return `Once, ${wall(when.from)} to ${wall(when.to)}`;
    case "daily":
      return `Every day at ${when.at} for ${formatDuration(when.minutes * 60_000)}`;
    case "weekly":
      return `Every ${listed(when.days.map((day) => dayNames[day]))} at ${when.at} for ${formatDuration(when.minutes * 60_000)}`;
    case "monthly":
      return `Every ${nthNames[when.nth]} ${dayNames[when.day]} of a month at ${when.at} for ${formatDuration(when.minutes * 60_000)}`;
  }
}
