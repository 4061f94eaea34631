import { execFile } from "node:child_process";
import { existsSync, readdirSync, readFileSync } from "node:fs";
import path from "node:path";
import { fileURLToPath } from "node:url";
import { promisify } from "node:util";
import { beforeAll, describe, expect, it } from "vitest";
// @ts-expect-error plain JavaScript, since npm run docs runs it as it is
import { anchorOf, checkLinks, readPages, renderPage } from "./docs-site.mjs";

const root = path.dirname(path.dirname(fileURLToPath(import.meta.url)));
const files = [
  "README.md",
  "CONTRIBUTING.md",
  ...(readdirSync(path.join(root, "docs"), { recursive: true }) as string[])
    .filter((file) => file.endsWith(".md"))
    .map((file) => `docs/${file}`),
];
const text = (file: string) => readFileSync(path.join(root, file), "utf8");

const variable = /\b(?:LYNCEUS_[A-Z_]+[A-Z]|BETTER_AUTH_SECRET|DATABASE_URL)\b/g;
/** What a build puts in, and what tests alone use. */
const ours = new Set(
  "LYNCEUS_AGENT_VERSION LYNCEUS_VERSION LYNCEUS_DISCOVERY_ALLOW_LOOPBACK LYNCEUS_DISCOVERY_DNS LYNCEUS_TEST_DATABASE_URL".split(
    " ",
  ),
);

/** What runs on somebody's machine. */
function sources(): string[] {
  const folders = ["apps/agent", "apps/cli", "apps/collector", "apps/dashboard"].flatMap((app) => [
    `${app}/src`,
    `${app}/packaging`,
  ]);
  const packages = readdirSync(path.join(root, "packages")).map((name) => `packages/${name}/src`);
  return [...folders, ...packages]
    .filter((folder) => existsSync(path.join(root, folder)))
    .flatMap((folder) =>
      (readdirSync(path.join(root, folder), { recursive: true }) as string[])
        .filter((file) => /\.(ts|tsx|env)$/.test(file) && !file.includes("generated"))
        .map((file) => `${folder}/${file}`),
    );
}

/** In the order of docs/operations/options.md. */
const programs = [
  ["scripts/up.mjs", "--help"],
  ["apps/collector/dist/main.js", "--help"],
  ["apps/agent/dist/main.js", "--help"],
  ["apps/agent/dist/main.js", "diagnose", "--help"],
];
const overview = ["apps/cli/dist/lynceus.mjs", "--help"];
const helps = new Map<readonly string[], string>();
const helpOf = (command: readonly string[]) => helps.get(command) ?? "";
beforeAll(async () => {
  for (const command of [...programs, overview]) {
    const { stdout } = await promisify(execFile)(process.execPath, command, { cwd: root });
    helps.set(command, stdout.replace(/^\n+|\n+$/g, ""));
  }
}, 120_000);

describe("the documentation", () => {
  it("has no link that leads nowhere", () => {
    const pages = readPages(Object.fromEntries(files.map((file) => [file, text(file)])));
    expect(pages.length).toBeGreaterThan(60);
    expect(checkLinks(pages, root)).toEqual([]);
  });

  it("is told where a file or a heading is not there", () => {
    const pages = readPages({
      "a.md": "# A\n[b](b.md) [c](docs/c.md#there) [c](docs/c.md#elsewhere) [out](https://example.org/x)",
      "docs/c.md": "# C\n## There\n[up](../a.md) [own](#there) ![x](screens/x.png)",
    });
    expect(checkLinks(pages, "/nowhere")).toEqual([
      'a.md: "b.md" is not there',
      'a.md: "docs/c.md#elsewhere" names a heading that docs/c.md has not',
      'docs/c.md: "screens/x.png" is not there',
    ]);
    expect(renderPage(pages[1], pages)).toContain('href="../a.html"');
    expect(anchorOf("What is `not` done, and why?")).toBe("what-is-not-done-and-why");
  });

  it("names options of npm run up, and scripts, that there are", () => {
    const { scripts } = JSON.parse(text("package.json")) as { scripts: Record<string, string> };
    const help = text("scripts/up-options.mjs");
    for (const file of files)
      for (const [line, script = "", rest = ""] of text(file).matchAll(/npm run (?:--silent )?([a-z:]+)([^`\n]*)/g)) {
        expect(Object.keys(scripts), `${file}: ${line}`).toContain(script);
        if (script === "up")
          for (const [option] of rest.matchAll(/--[a-z][a-z-]+/g)) expect(help, `${file}: ${line}`).toContain(option);
      }
  });

  it("shows the help of each program as the program gives it", () => {
    const shown = [...text("docs/operations/options.md").matchAll(/^```text\n([\s\S]*?)\n```$/gm)].map(
      ([, help]) => help,
    );
    expect(shown).toEqual(programs.map(helpOf));
  });

  it("names no option that no program has", () => {
    const scripts = ["verify", "package-agent", "docs", "accuracy", "grafana", "bench", "screenshots"].map(
      (name) => `scripts/${name}.mjs`,
    );
    const written = [...scripts, ...sources().filter((file) => file.startsWith("apps/cli/"))].map(text);
    const known = [...programs.map(helpOf), ...written].flatMap((said) => said.match(/--[a-z][a-z-]+/g) ?? []);
    for (const file of files.filter((one) => !one.startsWith("docs/patterns/")))
      for (const [, option = ""] of text(file).matchAll(/`(--[a-z][a-z-]+)[^`]*`/g))
        expect(known, `${file}: ${option}`).toContain(option);
  });

  it("lists every command of lynceus, and no other", () => {
    const there = [...helpOf(overview).matchAll(/^ {2}([a-z]+)(?: \[| <| {2})/gm)].map(([, name = ""]) => name);
    const [, table = ""] = /## Commands\n([\s\S]*?)\n## /.exec(text("docs/command-line.md")) ?? [];
    const listed = [...table.matchAll(/^\| (.*?) \| /gm)].flatMap(([, cell = ""]) =>
      [...cell.matchAll(/`([a-z]+)/g)].map(([, name = ""]) => name),
    );
    expect([...listed, "login", "logout", "whoami"].sort()).toEqual(there.filter((name) => name !== "lynceus").sort());
  });

  it("names every environment variable that a program reads, and no other", () => {
    const page = text("docs/operations/options.md");
    const [, table = ""] = /## Environment variables\n([\s\S]*)/.exec(page) ?? [];
    const listed = [...table.matchAll(/^\| (.*?) \| /gm)].flatMap(([, cell = ""]) => cell.match(variable) ?? []);
    const read = new Set(sources().flatMap((file) => text(file).match(variable) ?? []));
    expect([...new Set(listed)].sort()).toEqual([...read].filter((name) => !ours.has(name)).sort());
  });
});
