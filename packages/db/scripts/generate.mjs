// `prisma generate` without a network: the CLI insists on a schema engine, which this generator never runs,
// so any existing executable satisfies it. Does nothing when the generated client is already newer than the schema.
import { spawnSync } from "node:child_process";
import { statSync } from "node:fs";
import { createRequire } from "node:module";
import path from "node:path";
import { fileURLToPath } from "node:url";

const root = path.resolve(path.dirname(fileURLToPath(import.meta.url)), "../../..");
const schema = path.join(root, "prisma/schema.prisma");
const generated = path.join(root, "packages/db/src/generated/client.ts");
const modified = (file) => statSync(file, { throwIfNoEntry: false })?.mtimeMs ?? 0;

if (modified(generated) > Math.max(modified(schema), modified(fileURLToPath(import.meta.url)))) process.exit(0);

const require = createRequire(import.meta.url);
const cli = path.join(path.dirname(require.resolve("prisma/package.json")), "build/index.js");
const result = spawnSync(process.execPath, [cli, "generate", "--no-hints", "--schema", schema], {
  cwd: root,
  encoding: "utf8",
  env: {
    ...process.env,
    PRISMA_SCHEMA_ENGINE_BINARY: process.execPath,
    PRISMA_HIDE_UPDATE_MESSAGE: "1",
    CHECKPOINT_DISABLE: "1",
    NO_UPDATE_NOTIFIER: "1",
  },
});
if (result.status !== 0) {
  process.stderr.write(`prisma generate failed:\n${result.stdout}${result.stderr}\n`);
  process.exit(1);
}
