import { setSite, tagMachines } from "@lynceus/db/machines-admin";
import { addNote } from "@lynceus/db/notes";
import type { Fleet } from "@lynceus/db/scope";
import { type Observation, observationSchema } from "@lynceus/protocol/facts";
import { scripts } from "../../test/support/facts.ts";
import { behindPx1, type Story } from "../../test/support/seed.ts";

/*
 * A machine whose agent lies in every field that the wire lets through: markup that would run, a mark that turns text
 * round, and words that break nowhere.
 */

/** Runs as soon as it counts as markup; short enough for every field of text. */
export const markup = "<img src=x onerror=hostile()>";
export const long = `${markup}\u202e${"W".repeat(180)}`;

/** Facts with the lie in place of each text that may be any text. */
const lies = new Map<string, Observation>();

function lie(observation: Observation): Observation {
  const key = JSON.stringify([observation.kind, observation.facts]);
  const known = lies.get(key);
  if (known !== undefined) return { ...observation, facts: known.facts } as Observation;
  const told = structuredClone(observation);
  const valid = () => observationSchema.safeParse(told).success;
  const replace = (holder: Record<string, unknown>) => {
    for (const [name, value] of Object.entries(holder)) {
      if (typeof value === "object" && value !== null) {
        replace(value as Record<string, unknown>);
        if (name === "headers") Object.assign(value, { [markup]: long });
      } else if (typeof value === "string") {
        for (const text of [long, markup, value]) {
          holder[name] = text;
          if (valid()) break;
        }
      }
    }
  };
  replace(told.facts as Record<string, unknown>);
  lies.set(key, told);
  return told;
}

export const hostileStory: Story = {
  name: long,
  site: "Singapore",
  script: { before: scripts.old, after: scripts.new },
  way: behindPx1(24),
  seenAgo: 3,
  told: lie,
};

/** What people copied of it: its site, a tag, a note. */
export async function seedHostileTexts(db: Fleet, machineId: string): Promise<void> {
  const by = { actor: "ada@contoso.com", now: new Date() };
  await setSite(db, [machineId], long, by);
  await tagMachines(db, [machineId], { add: [markup] }, by);
  await addNote(db, machineId, `${long}\n${long}`, by);
}
