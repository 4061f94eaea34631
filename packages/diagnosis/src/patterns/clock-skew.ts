import type { SystemFacts } from "@lynceus/protocol/facts";
import { factEvidence, makeMatch, type Pattern, quote } from "../pattern.ts";

const minute = 60_000;
/** Domain 5.4: worth telling. */
const noticeMs = 4 * minute;
/** Kerberos' usual limit ([MS-GPSB] MaxClockSkew). */
const kerberosMs = 5 * minute;
/** Sources that differ by more do not agree on whose clock is off. */
const agreeMs = minute;

interface Skew {
  /** Theirs minus ours. */
  readonly ms: number;
  readonly witnesses: readonly { readonly name: string; readonly ms: number }[];
}

/**
 * The skew on which two kinds of source agree: the collector's clock and the Date header of a target; or of two targets,
 * which is how an agent measures without a collector. Null where only one source says so: then that one may be off.
 */
function skewOf({ clockSources = [], clockSkewMs }: SystemFacts): Skew | null {
  const collector = clockSources.find(({ source }) => source === "collector");
  const targets = clockSources.filter(({ source }) => source === "target");
  const near = (a: number, b: number) => Math.abs(a - b) <= agreeMs;
  if (collector) {
    const agreeing = targets.filter(({ skewMs }) => near(skewMs, collector.skewMs));
    if (agreeing.length === 0) return null;
    return {
      ms: collector.skewMs,
      witnesses: [
        { name: "Lynceus' collector", ms: collector.skewMs },
        ...agreeing.map(({ host, skewMs }) => ({ name: quote(host ?? "a target"), ms: skewMs })),
      ],
    };
  }
  // Two different hosts that agree (domain 6.3).
  return clockSkewMs === null
    ? null
    : { ms: clockSkewMs, witnesses: [{ name: "two targets that agree", ms: clockSkewMs }] };
}

/** Domain 5.4, 6.3. */
export const pattern: Pattern = {
  id: "clock-skew",
  title: "The clock is off, and Kerberos fails",
  layer: "authentication",
  scope: "client",
  mechanism:
    "Kerberos refuses a clock that is more than five minutes off. The login falls back to NTLM or fails, and Lync asks for a password.",
  evidence:
    "The machine's clock is more than four minutes off by two sources that agree: Lynceus' collector and the Date header of a target, or the Date headers of two targets.",
  severities: ["will-prompt", "at-risk"],
  confidences: ["medium"],
  notThis: [
    "One target's clock that is off: the other sources disagree.",
    "A machine outside a domain: no Kerberos, at-risk only.",
    "An answer out of a cache, whose Date is old: left out.",
  ],
  whoFixes: "Helpdesk",
  remedy: [
    { who: "Helpdesk", what: "run w32tm /resync on the machine", reference: "KB 2787614" },
    {
      who: "Desktop team",
      what: "check the time source of the domain; of a virtual machine, its hypervisor's",
      reference: null,
    },
  ],
  references: ["KB 2787614", "MS-GPSB: maximum tolerance for clock synchronization"],
  match({ system, now }) {
    const skew = system && skewOf(system);
    if (!skew || Math.abs(skew.ms) <= noticeMs) return null;
    const breaks = Math.abs(skew.ms) > kerberosMs && system.domainJoined === true;
    const by = `${Math.round(Math.abs(skew.ms) / minute)} minutes ${skew.ms > 0 ? "behind" : "ahead"}`;
    return makeMatch({
      severity: breaks ? "will-prompt" : "at-risk",
      confidence: "medium",
      explains: false,
      cause: `the machine's clock is ${by}`,
      sentence: `${breaks ? "Credential prompts expected: the" : "The"} machine's clock is ${by}${breaks ? ", more than Kerberos allows" : ""}. Set the time; no change on Exchange helps.`,
      evidence: skew.witnesses
        .slice(0, 8)
        .map(({ name, ms }) =>
          factEvidence("system", `Clock against ${name}: ${Math.round(ms / 1000)} s`, `${Math.round(ms)} ms`, now),
        ),
    });
  },
};
