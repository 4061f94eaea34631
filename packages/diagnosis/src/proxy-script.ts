import type { Verdict } from "@lynceus/protocol/names";
import { badEws, type View } from "./view.ts";

/** Verdicts that a wrong route brings about. What a server said once it was reached is not the route's doing. */
const ofTheRoute = new Set<Verdict>([
  "dns-fail",
  "tcp-refused",
  "tcp-timeout",
  "tcp-reset",
  "tls-reset",
  "http-timeout",
  "proxy-unreachable",
  "proxy-auth-required",
  "proxy-blocked",
  "proxy-upstream-fail",
  "proxy-error",
]);

/** Facts of the script whose address the settings name, or null where none is in force or nothing is known of it. */
export const scriptInForce = (view: View): View["pac"] =>
  view.settings?.pacUrl != null && view.pac?.origin === "pac" ? view.pac : null;

/**
 * Whether a dead or broken script explains why EWS is bad (5.0 rule 14a): its route was decided by what comes after
 * the script, and fails as wrong routes do. While the fallback works, a dead script only contributes.
 */
export function explainsBadRoute(view: View): boolean {
  const ews = badEws(view);
  if (!ews) return false;
  const { by } = ews.configured.facts.route;
  return by !== "auto-detect" && by !== "pac" && ofTheRoute.has(ews.configured.verdict);
}
