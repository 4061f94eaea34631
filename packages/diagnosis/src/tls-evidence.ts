import { findInterception, type Interception } from "./interception.ts";
import type { View } from "./view.ts";

/** The interception flag of EWS on the configured route, against the direct route and this location's majority. */
export function ewsInterception(view: View): Interception | null {
  const slot = view.ews?.configured;
  if (!view.ews || !slot) return null;
  const { majority } = view.fleet;
  return findInterception(slot.facts, {
    direct: view.ews.direct && view.ews.direct !== slot ? view.ews.direct.facts : null,
    majority: majority && { issuer: majority.issuer, spki: majority.spki },
    expectedIssuers: view.ews.target.expectedIssuers,
  });
}
