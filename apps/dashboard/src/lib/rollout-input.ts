import { isNobody, type Rollout, rolloutSchema } from "@lynceus/protocol/rollout";
import { formText } from "./form-text.ts";
import type { RolloutErrors, RolloutValues } from "./rollout-values.ts";

export function readRolloutForm(form: FormData): RolloutValues {
  const who = formText(form, "who");
  return {
    who: who === "machine" || who === "part" ? who : "whole",
    machine: formText(form, "machine").trim(),
    percent: formText(form, "percent").trim() || "0",
    sites: formText(form, "rolloutSites", 4096),
    tags: formText(form, "rolloutTags", 4096),
  };
}

const listOf = (text: string) =>
  [...new Set(text.split(/[,;\n]/).map((one) => one.trim()))].filter((one) => one !== "");

/** A part of the fleet, of which the machine is found by `findMachine` (its id, or null where no machine is called so). */
export async function readRollout(
  values: RolloutValues,
  findMachine: (name: string) => Promise<string | null>,
): Promise<{ rollout: Rollout | null; errors: RolloutErrors }> {
  const nobody: Rollout = { percent: 0, sites: [], tags: [], machines: [] };
  if (values.who === "whole") return { rollout: null, errors: {} };
  if (values.who === "machine") {
    const id = values.machine === "" ? null : await findMachine(values.machine);
    return id === null
      ? {
          rollout: null,
          errors: {
            machine: `No machine is called "${values.machine.slice(0, 80)}"; use its whole name, e.g. BER-LT-0412.`,
          },
        }
      : { rollout: { ...nobody, machines: [id] }, errors: {} };
  }
  const percent = Number(values.percent);
  const parsed = rolloutSchema.safeParse({
    ...nobody,
    percent,
    sites: listOf(values.sites),
    tags: listOf(values.tags),
  });
  if (!parsed.success)
    return {
      rollout: null,
      errors: { percent: `"${values.percent.slice(0, 20)}" is no share; use a whole number from 0 to 100, e.g. 10.` },
    };
  return isNobody(parsed.data)
    ? {
        rollout: null,
        errors: { percent: "Nobody would get it: choose a share, or name a site or a tag, e.g. Berlin." },
      }
    : { rollout: parsed.data, errors: {} };
}
