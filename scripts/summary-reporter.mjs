// Counts what vitest ran and hands the figures to scripts/test.mjs, which prints them as the last line.
import { writeFileSync } from "node:fs";

export default class SummaryReporter {
  onTestRunEnd(modules, unhandledErrors) {
    let passed = 0;
    let failed = unhandledErrors.length;
    let skipped = 0;
    for (const module of modules) {
      let ran = 0;
      for (const test of module.children.allTests()) {
        const { state } = test.result();
        ran += 1;
        if (state === "passed") passed += 1;
        else if (state === "failed") failed += 1;
        else skipped += 1;
      }
      // A file that could not even be loaded has no tests to count, and must not look like success.
      if (ran === 0 || (module.state() === "failed" && module.errors().length > 0)) failed += 1;
    }
    const file = process.env.LYNCEUS_TEST_SUMMARY;
    if (file) writeFileSync(file, JSON.stringify({ passed, failed, skipped }));
  }
}
