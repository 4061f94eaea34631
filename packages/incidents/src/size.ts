import { formatCount } from "@lynceus/protocol/present";
import type { Incident } from "./types.ts";

/** "347 machines at 3 sites". */
export function sizeOf({ failing, sites }: Pick<Incident, "failing" | "sites">): string {
  const machines = failing === 1 ? "1 machine" : `${formatCount(failing)} machines`;
  return `${machines} at ${sites.length === 1 ? "1 site" : `${formatCount(sites.length)} sites`}`;
}
