import { appendFileSync } from "node:fs";
import { loadKoffi } from "@lynceus/agent/platform/koffi";
import { windowsMachine } from "@lynceus/agent/platform/windows/machine";
import { watchWindows } from "@lynceus/agent/platform/windows/watch";
import { watchedKeys } from "@lynceus/agent/platform/windows/watched-keys";
import { readSettings } from "@lynceus/agent/proxy/settings";

/*
 * Runs under node.exe in the Windows tests: `main.mjs OUTPUT`. Appends one JSON line for each change that Windows told
 * us of, with what the settings are then.
 */

const [, , output = "out.jsonl"] = process.argv;
const windows = windowsMachine("all");

async function note(what: string): Promise<void> {
  const { facts } = await readSettings({
    platform: process.platform,
    environment: process.env,
    settingsFile: null,
    run: async () => "",
    uid: null,
    salt: "salt",
    windows,
  });
  const counters = facts.users.map(({ blob }) => blob?.counter ?? null);
  appendFileSync(output, `${JSON.stringify({ at: Date.now(), what, users: facts.users.length, counters })}\n`);
}

watchWindows(loadKoffi(), {
  keys: () => watchedKeys(windows),
  onChange: (what) => void note(what),
  onProblem: (why) => appendFileSync(output, `${JSON.stringify({ at: Date.now(), what: `problem: ${why}` })}\n`),
});
await note("started");
