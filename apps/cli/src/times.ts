import { formatDuration, formatTime } from "@lynceus/protocol/present";
import type { Cli } from "./cli.ts";
import type { Format } from "./rows.ts";

/** How times stand in a list: as people read them in a table, with date and zone where a program does. Empty for null. */
export function timeText(cli: Cli, format: Format): (iso: string | null | undefined) => string {
  return (iso) => {
    if (!iso) return "";
    return format === "table" ? formatTime(Date.parse(iso), { now: cli.now(), zone: cli.zone }) : iso;
  };
}

/** `26 min ago`, `in 3 d`. */
export function ago(cli: Cli, iso: string): string {
  const ms = cli.now() - Date.parse(iso);
  return ms >= 0 ? `${formatDuration(ms)} ago` : `in ${formatDuration(-ms)}`;
}
