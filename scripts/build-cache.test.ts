import { spawnSync } from "node:child_process";
import path from "node:path";
import { fileURLToPath } from "node:url";
import { expect, test } from "vitest";

const root = path.dirname(path.dirname(fileURLToPath(import.meta.url)));

test.each(["build", "typecheck"])("%s runs again when a package that is imported changed", (task) => {
  const { stdout } = spawnSync(
    path.join(root, "node_modules/.bin/turbo"),
    ["run", task, "--filter=@lynceus/collector", "--dry=json"],
    { cwd: root, encoding: "utf8" },
  );
  const { tasks } = JSON.parse(stdout) as { tasks: { taskId: string; dependencies: string[] }[] };
  const ours = tasks.find(({ taskId }) => taskId === `@lynceus/collector#${task}`);
  expect(ours?.dependencies).toEqual(
    expect.arrayContaining(["@lynceus/protocol#transit", "@lynceus/db#transit", "@lynceus/diagnosis#transit"]),
  );
});
