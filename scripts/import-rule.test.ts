import { spawnSync } from "node:child_process";
import { cpSync, mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync, symlinkSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import path from "node:path";
import { fileURLToPath } from "node:url";
import { afterAll, beforeAll, describe, expect, test } from "vitest";

const root = path.dirname(path.dirname(fileURLToPath(import.meta.url)));
const bin = (name: string) => path.join(root, "node_modules/.bin", name);

let copy: string;
beforeAll(() => {
  copy = mkdtempSync(path.join(tmpdir(), "lynceus-rule-"));
  for (const file of ["package.json", "package-lock.json", "turbo.json", "biome.json", ".gitignore"])
    cpSync(path.join(root, file), path.join(copy, file));
  symlinkSync(path.join(root, "node_modules"), path.join(copy, "node_modules"));
  // The workspaces, as npm sees them: the data source of Grafana is a package of its own, with tools of its own.
  const { workspaces } = JSON.parse(readFileSync(path.join(root, "package.json"), "utf8")) as { workspaces: string[] };
  const packages = workspaces
    .filter((pattern) => !pattern.startsWith("!"))
    .flatMap((pattern) =>
      pattern.endsWith("/*")
        ? readdirSync(path.join(root, pattern.slice(0, -2))).map((name) => pattern.slice(0, -1) + name)
        : [pattern],
    )
    .filter((name) => !workspaces.includes(`!${name}`));
  for (const name of packages) {
    mkdirSync(path.join(copy, name, "src"), { recursive: true });
    for (const file of ["package.json", "turbo.json"]) cpSync(path.join(root, name, file), path.join(copy, name, file));
  }
  spawnSync("git", ["init", "-q", copy]);
});
afterAll(() => rmSync(copy, { recursive: true, force: true }));

/** What Biome says of a source text that stands in that file. */
function lint(file: string, text: string): string {
  writeFileSync(path.join(copy, file), text);
  const result = spawnSync(bin("biome"), ["lint", "--colors=off", file], { cwd: copy, encoding: "utf8" });
  rmSync(path.join(copy, file));
  return result.stdout + result.stderr;
}

describe("the import rule in sources", () => {
  test.each([
    [
      "packages/diagnosis/src/x.ts",
      `import { readFileSync } from "node:fs";\nreadFileSync("x");\n`,
      /This package is pure/,
    ],
    ["packages/protocol/src/x.ts", `import ws from "ws";\nws;\n`, /This package is pure/],
    [
      "apps/dashboard/src/x.ts",
      `import { PrismaClient } from "@prisma/client";\nnew PrismaClient();\n`,
      /only importer of Prisma/,
    ],
    [
      "apps/agent/src/x.ts",
      `import { fakeClock } from "@lynceus/testkit/clock";\nfakeClock();\n`,
      /testkit is for tests alone/,
    ],
    [
      "apps/agent/src/x.ts",
      `import { openDatabase } from "@lynceus/db/client";\nopenDatabase({ url: "" });\n`,
      /noUndeclaredDependencies/,
    ],
    [
      "packages/proxy-settings/src/x.ts",
      `import { classify } from "@lynceus/diagnosis/classify";\nclassify;\n`,
      /noUndeclaredDependencies/,
    ],
  ])("%s may not: %j", (file, text, message) => {
    expect(lint(file, text)).toMatch(message);
  });

  test("the same files may import what they are allowed", () => {
    expect(
      lint(
        "packages/diagnosis/src/x.ts",
        `import type { Verdict } from "@lynceus/protocol/names";\nexport type X = Verdict;\n`,
      ),
    ).not.toMatch(/━/);
  });
});

describe("the import rule between packages", () => {
  const boundaries = () => {
    const result = spawnSync(bin("turbo"), ["boundaries", "--no-color"], {
      cwd: copy,
      encoding: "utf8",
      env: { ...process.env, TURBO_TELEMETRY_DISABLED: "1" },
    });
    return { status: result.status, text: result.stdout + result.stderr };
  };

  test("holds in the tree as it is", () => {
    expect(boundaries()).toMatchObject({ status: 0 });
  });

  test("fails for an import that is not declared", () => {
    const file = path.join(copy, "apps/agent/src/x.ts");
    writeFileSync(file, `import { openDatabase } from "@lynceus/db/client";\nopenDatabase;\n`);
    expect(boundaries()).toMatchObject({ status: 1, text: expect.stringContaining("@lynceus/db") });
    rmSync(file);
  });

  test("fails for a declared dependency that the layers forbid", () => {
    const file = path.join(copy, "packages/protocol/package.json");
    writeFileSync(
      file,
      JSON.stringify({ name: "@lynceus/protocol", version: "0.1.0", dependencies: { "@lynceus/db": "0.1.0" } }),
    );
    expect(boundaries()).toMatchObject({ status: 1, text: expect.stringContaining("protocol") });
  });
});
