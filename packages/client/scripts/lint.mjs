// Lints the API's document: `npm run verify -- --only api`.
import { spawnSync } from "node:child_process";
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import path from "node:path";
import { fileURLToPath } from "node:url";
import { createConfig, formatProblems, getTotals, lint } from "@redocly/openapi-core";

const root = fileURLToPath(new URL("../../..", import.meta.url));
const directory = mkdtempSync(path.join(tmpdir(), "lynceus-openapi-"));
try {
  const ref = path.join(directory, "openapi.json");
  const made = spawnSync(
    process.execPath,
    ["--import", "tsx", path.join(root, "apps/collector/scripts/write-openapi.ts"), ref],
    { cwd: root, stdio: "inherit" },
  );
  if (made.status !== 0) process.exit(made.status ?? 1);
  const config = await createConfig({
    extends: ["recommended"],
    rules: {
      "operation-description": "error",
      "operation-summary": "error",
      "operation-operationId": "error",
      "operation-tag-defined": "error",
      "operation-4xx-response": "error",
      "tag-description": "error",
      "tags-alphabetical": "error",
      "no-unused-components": "error",
      "paths-kebab-case": "error",
      "security-defined": "error",
      // The document comes from the collector that it describes: its server is "/".
      "no-server-example.com": "off",
    },
  });
  const problems = await lint({ ref, config });
  formatProblems(problems, { format: "stylish", totals: getTotals(problems), version: "" });
  if (problems.length > 0) process.exitCode = 1;
  else process.stdout.write("the API's document: no problems\n");
} finally {
  rmSync(directory, { recursive: true, force: true });
}
