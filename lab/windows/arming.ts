import { execFileSync } from "node:child_process";
import { writeFileSync } from "node:fs";
import { loadKoffi } from "@lynceus/agent/platform/koffi";
import { type WatchedKey, watchWindows } from "@lynceus/agent/platform/windows/watch";

/*
 * Runs under node.exe in the Windows tests: `main.mjs OUTPUT EARLY LATE`. The key EARLY changes when it is watched
 * already and LATE, which appears with it, is not yet. Ends when told of a change of the settings, and writes so.
 */

const [, , output = "told.txt", early = "", late = ""] = process.argv;
const of = (key: string): WatchedKey => ({ key, below: false });
let asked = 0;

const watch = watchWindows(loadKoffi(), {
  keys() {
    if (++asked === 2) execFileSync("reg", ["add", early, "/v", "Changed", "/t", "REG_DWORD", "/d", "1", "/f"]);
    return asked === 1 ? [of(early)] : [of(early), of(late)];
  },
  onChange(what) {
    if (what !== "settings") return;
    writeFileSync(output, "told");
    watch.close();
    process.exit(0);
  },
  onProblem() {},
});
