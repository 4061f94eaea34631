import type { Verdict } from "@lynceus/protocol/names";

/** Verdicts of the two good answers of EWS. */
const good = new Set<Verdict>(["exchange-onprem", "exchange-online"]);
/**
 * Left out of every ratio: a 407, whose users may pass silently (5.0 rule 1), and what proves nothing. The columns do
 * not hold the schemes, so a proxy that offers Basic alone is left out with the others.
 */
const leftOut = new Set<Verdict>(["proxy-auth-required", "unknown-answer", "iis-windows-auth"]);

/** Whether a verdict of EWS counts in the ratios of the fleet. */
export const isCounted = (verdict: Verdict | null): verdict is Verdict => verdict !== null && !leftOut.has(verdict);
/** Whether it is one of the two good answers of EWS. */
export const isGoodEws = (verdict: Verdict | null): boolean => verdict !== null && good.has(verdict);
