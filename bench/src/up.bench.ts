// Time from a fresh clone to the first page, and of a second start: `git clone` of this checkout's HEAD into a temporary
// folder, `npm run up` there, until the dashboard answers.
import { execFileSync, spawn } from "node:child_process";
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import path from "node:path";
import { fixed, machineLine, table } from "./figures.ts";
import { root } from "./installation.ts";

const directory = mkdtempSync(path.join(tmpdir(), "lynceus-up-"));
const clone = path.join(directory, "lynceus");
const port = 17_300;

async function firstPage(): Promise<number> {
  const began = performance.now();
  const up = spawn(
    "npm",
    [
      "run",
      "up",
      "--",
      "--port",
      String(port),
      "--collector-port",
      String(port + 1),
      "--ews",
      "mail.example.org",
      "--smtp-domain",
      "example.org",
      "--sip-domain",
      "example.org",
    ],
    {
      cwd: clone,
      stdio: ["ignore", "pipe", "inherit"],
      env: { ...process.env, TURBO_CACHE_DIR: path.join(directory, "turbo") },
      detached: true,
    },
  );
  let ended = false;
  up.on("close", () => {
    ended = true;
  });
  for (;;) {
    if (ended) throw new Error("npm run up ended before the dashboard answered");
    const answer = await fetch(`http://127.0.0.1:${port}/login`, { redirect: "manual" }).catch(() => null);
    if (answer && answer.status < 500) break;
    await new Promise((resolve) => setTimeout(resolve, 50));
  }
  const seconds = (performance.now() - began) / 1000;
  process.kill(-(up.pid ?? 0), "SIGINT");
  while (!ended) await new Promise((resolve) => setTimeout(resolve, 50));
  return seconds;
}

try {
  const began = performance.now();
  execFileSync("git", ["clone", "-q", root, clone]);
  const cloned = (performance.now() - began) / 1000;
  const first = await firstPage();
  const second = await firstPage();
  process.stdout.write(`${machineLine()}; the package registry's answers may come from npm's cache\n\n`);
  process.stdout.write(
    `${table(
      ["up", "seconds"],
      [
        ["fresh clone to first page", fixed(cloned + first, 1)],
        ["second start to first page", fixed(second, 1)],
      ],
    )}\n`,
  );
} finally {
  rmSync(directory, { recursive: true, force: true });
}
