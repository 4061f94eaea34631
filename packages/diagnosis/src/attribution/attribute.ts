import { createAttributionIndex } from "./attribution-index.ts";
import type { Attribution, AttributionIndex, ChangeEvent, Subject } from "./types.ts";

/**
 * Which shared values separate the failing machines from the healthy ones, per location with a failing machine (domain
 * 5.0 rule 3), the location with most of them first. Without a healthy machine no cause is named.
 * @param fleet an index that is kept up, or the machines themselves. @param changes any, in any order.
 * @param now instant of the judgement, milliseconds since 1970.
 */
export function attribute(
  fleet: AttributionIndex | Iterable<Subject>,
  changes: readonly ChangeEvent[],
  now: number,
): Attribution[] {
  const index = "attribute" in fleet ? fleet : createAttributionIndex(fleet);
  return index
    .locations()
    .map((location) => index.attribute(location, { changes, now }))
    .filter(({ failing }) => failing > 0)
    .sort((a, b) => b.failing - a.failing || (a.location < b.location ? -1 : 1));
}
