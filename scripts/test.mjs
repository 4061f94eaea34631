// `npm test`: all set-up, then the unit and integration tests. Arguments go to vitest.
import { spawn } from "node:child_process";
import { existsSync, mkdtempSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import path from "node:path";
import { bin, prepareTests, root } from "./prepare.mjs";

await prepareTests();
const directory = mkdtempSync(path.join(tmpdir(), "lynceus-test-"));
const summary = path.join(directory, "summary.json");
const child = spawn(
  bin("vitest"),
  [
    "run",
    "--reporter=dot",
    `--reporter=${path.join(root, "scripts", "summary-reporter.mjs")}`,
    ...process.argv.slice(2),
  ],
  { cwd: root, stdio: "inherit", env: { ...process.env, LYNCEUS_TEST_SUMMARY: summary } },
);
const code = await new Promise((resolve) => child.on("close", (status) => resolve(status ?? 1)));
const counts = existsSync(summary) ? JSON.parse(readFileSync(summary, "utf8")) : { passed: 0, failed: 1, skipped: 0 };
rmSync(directory, { recursive: true, force: true });
const failed = code !== 0 && counts.failed === 0 ? 1 : counts.failed;
process.stdout.write(
  // What needs root is not run by an ordinary user, and is said so: the last line keeps its shape.
  `${counts.skipped ? `${counts.skipped} skipped: they need root\n` : ""}${counts.passed} passed, ${failed} failed\n`,
);
process.exitCode = failed > 0 || code !== 0 ? 1 : 0;
