import type { PacAnswer, PacCall } from "@lynceus/pac/engine";
import { evaluateInSandbox } from "@lynceus/pac/sandbox";
import type { ProbeContext } from "../probes/context.ts";

/** Evaluates a proxy script in a child process within this agent's bounds. Rejects only when the agent stops. */
export function evaluateScript(
  script: string,
  calls: readonly PacCall[],
  myIpAddress: string,
  ctx: ProbeContext,
): Promise<PacAnswer[]> {
  const { pacEval, dns, childStart } = ctx.timeouts;
  return evaluateInSandbox(
    { script, calls, budgetMs: pacEval, myIpAddress, dnsServers: ctx.resolver.servers },
    { startMs: childStart, evaluationMs: 10 * pacEval + 2 * dns, signal: ctx.signal },
  );
}
