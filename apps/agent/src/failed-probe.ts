import type { ProbeFacts } from "@lynceus/protocol/facts";

/**
 * Whether a probe looks failed enough to be tried again soon (domain 6.2). Only a hint for the schedule: what the
 * facts mean is judged by the collector, so a wrong guess here costs or spares two probes and nothing else.
 */
export function looksFailed(facts: ProbeFacts): boolean {
  if (facts.fenced) return false;
  if (facts.timedOut) return true;
  if ([facts.dns, facts.tcp, facts.tls].some((phase) => phase !== null && !phase.ok)) return true;
  if (facts.connect !== null && (facts.connect.status === null || facts.connect.status >= 300)) return true;
  if (facts.http === null) return false;
  return facts.http.error !== null || facts.http.status === null || facts.http.status >= 500;
}
