/* What a browser and the server share of the form that says who gets a version; what reads it stands in rollout-input.ts. */

/** Who gets a version first, as the form holds it. */
export interface RolloutValues {
  /** `whole` fleet, one `machine`, or a `part`. */
  who: "whole" | "machine" | "part";
  machine: string;
  percent: string;
  sites: string;
  tags: string;
}

export type RolloutErrors = Partial<Record<keyof RolloutValues, string>>;

export const wholeFleetValues: RolloutValues = { who: "whole", machine: "", percent: "10", sites: "", tags: "" };

/** Steps of a roll-out, in per cent. */
export const rolloutSteps = ["0", "1", "5", "10", "25", "50", "75"];
