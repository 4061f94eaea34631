import { formatCount } from "@lynceus/protocol/present";
import type { Canary, CanaryEffect, CanaryTarget } from "@lynceus/protocol/read-api-tools";
import type { MarkStatus } from "../status/status-mark.tsx";

/** Effects in the order in which they matter. */
export const effectOrder: readonly CanaryEffect[] = ["breaks", "cannot-tell", "stays-bad", "repairs", "moves", "same"];

export const effectWords: Record<CanaryEffect, { title: string; meaning: string; mark: MarkStatus; fill: string }> = {
  breaks: { title: "Would break", meaning: "Works now, would not", mark: "failing", fill: "var(--bad-fill)" },
  "cannot-tell": {
    title: "Cannot tell",
    meaning: "Another route, of which nothing is known",
    mark: "cannot-tell",
    fill: "var(--unk-fill)",
  },
  "stays-bad": {
    title: "Stays bad",
    meaning: "Another route, and bad as before",
    mark: "at-risk",
    fill: "var(--ink3)",
  },
  repairs: { title: "Would be repaired", meaning: "Bad now, would work", mark: "healthy", fill: "var(--ok-fill)" },
  moves: { title: "Would move", meaning: "Another route, known to work", mark: "healthy", fill: "var(--ok)" },
  same: { title: "Same route", meaning: "Nothing changes", mark: "signed-off", fill: "var(--line2)" },
};

export const basisWords: Record<CanaryTarget["after"]["basis"], string> = {
  probed: "really probed",
  "own-route": "its own probes of this route",
  "own-direct": "its own direct probe",
  peers: "peers on this route",
  none: "nothing known",
};

/** "3 of 64 machines would break, 16 would be repaired." */
export function canarySentence(canary: Canary): { bad: string | null; rest: string } {
  const { effects, evaluated } = canary;
  const machines = `${formatCount(evaluated)} ${evaluated === 1 ? "machine" : "machines"}`;
  if (evaluated === 0) {
    return {
      bad: null,
      rest:
        canary.state === "failed"
          ? "Could not be judged."
          : canary.state === "done" || canary.state === "cancelled"
            ? "No machine was judged."
            : "Waiting for a collector to judge it.",
    };
  }
  const changed = effects.breaks + effects.moves + effects.repairs + effects["stays-bad"] + effects["cannot-tell"];
  const parts = [
    effects.repairs > 0 ? `${formatCount(effects.repairs)} would be repaired` : null,
    effects["cannot-tell"] > 0 ? `${formatCount(effects["cannot-tell"])} cannot be told` : null,
  ].filter((part) => part !== null);
  const routes =
    changed === 0
      ? "No route changes."
      : `${formatCount(changed)} would change route, ${formatCount(effects.same)} keep theirs.`;
  return {
    bad: effects.breaks > 0 ? `${formatCount(effects.breaks)} of ${machines} would break` : null,
    rest: `${effects.breaks > 0 ? "" : `None of ${machines} is known to break`}${parts.length > 0 ? `, ${parts.join(", ")}` : ""}. ${routes}`,
  };
}

export const stateText = (canary: Pick<Canary, "state" | "evaluated" | "machines" | "probes">): string => {
  switch (canary.state) {
    case "queued":
      return "Waits for a collector";
    case "evaluating":
      return canary.machines === null
        ? "Judging"
        : `Judging, ${formatCount(canary.evaluated)} of ${formatCount(canary.machines)}`;
    case "probing":
      return `Probing, ${formatCount(canary.probes.answered + canary.probes.missing)} of ${formatCount(canary.probes.asked)}`;
    case "done":
      return "Done";
    case "failed":
      return "Failed";
    case "cancelled":
      return "Stopped";
  }
};

export const isRunning = (state: Canary["state"]): boolean =>
  state === "queued" || state === "evaluating" || state === "probing";

/** "script 41ab07, then px2:8080": a proposal in one line. */
export function proposalText({ proposal }: Pick<Canary, "proposal">): string {
  const parts = [
    proposal.autoDetect ? "auto-detect" : null,
    proposal.pac === null
      ? null
      : proposal.pac.from === "url"
        ? `script ${proposal.pac.url ?? ""}`
        : `script by text${proposal.pac.sha256 === null ? "" : ` ${proposal.pac.sha256.slice(0, 6)}`}`,
    proposal.server === null
      ? null
      : `proxy ${proposal.server}${proposal.bypass === "" ? "" : `, past it ${proposal.bypass}`}`,
  ].filter((part) => part !== null);
  return parts.length === 0 ? "no proxy" : parts.join(", then ");
}
