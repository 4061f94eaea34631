import { mkdirSync, renameSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { expect, onTestFinished, test } from "vitest";
import { type Change, watchFiles, watchMachine } from "../src/platform/watch.ts";
import { temporaryDirectory } from "./support/temporary.ts";

/** What was told, awaited one by one. */
function told() {
  const heard: Change[] = [];
  let wake = () => {};
  return {
    heard,
    handlers: {
      onChange: (what: Change) => {
        heard.push(what);
        wake();
      },
      onProblem: (why: string) => expect.unreachable(why),
    },
    next: () =>
      new Promise<Change>((resolve) => {
        wake = () => resolve(heard.at(-1) as Change);
        if (heard.length > 0) wake();
      }),
  };
}

test("a desktop's settings that are replaced are noticed at once", async () => {
  const home = temporaryDirectory();
  const { handlers, next } = told();
  onTestFinished(watchFiles({ environment: { XDG_CONFIG_HOME: home }, settingsFile: null }, handlers));
  writeFileSync(join(home, "new"), "[Proxy Settings]\nProxyType=1\n");
  renameSync(join(home, "new"), join(home, "kioslaverc"));
  expect(await next()).toBe("settings");
});

test("GNOME's database counts, its neighbours do not", async () => {
  const home = temporaryDirectory();
  mkdirSync(join(home, "dconf"));
  const { handlers, next, heard } = told();
  onTestFinished(
    watchFiles({ environment: { HOME: "/nowhere", XDG_CONFIG_HOME: home }, settingsFile: null }, handlers),
  );
  writeFileSync(join(home, "dconf", "other"), "1");
  writeFileSync(join(home, "dconf", "user"), "2");
  await next();
  // inotify tells of both in order: the neighbour would have come first.
  expect(new Set(heard)).toEqual(new Set(["settings"]));
});

test("beside a given file nothing else is watched", async () => {
  const home = temporaryDirectory();
  const file = join(home, "settings.json");
  const { handlers, next } = told();
  onTestFinished(watchMachine(null, { environment: {}, settingsFile: file }, handlers).end);
  writeFileSync(file, "{}");
  expect(await next()).toBe("settings");
});

test("a system whose calls cannot be used is not watched, and that harms nothing", () => {
  const { handlers } = told();
  watchMachine({ why: "no calls" }, { environment: {}, settingsFile: null }, handlers).end();
});
