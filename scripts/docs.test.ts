import { readdirSync, readFileSync } from "node:fs";
import path from "node:path";
import { fileURLToPath } from "node:url";
import { describe, expect, it } from "vitest";
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

describe("the documentation", () => {
  it("has no link that leads nowhere", () => {
    const pages = readPages(Object.fromEntries(files.map((file) => [file, text(file)])));
    expect(pages.length).toBeGreaterThan(60);
    expect(checkLinks(pages, root)).toEqual([]);
  });

  it("is told where a file or a heading is not there", () => {
    const pages = readPages({
      "a.md": "# A\n[b](b.md) [c](docs/c.md#there) [c](docs/c.md#elsewhere) [out](https://example.org/x)",
      "docs/c.md": "# C\n## There\n[up](../a.md) [own](#there)",
    });
    expect(checkLinks(pages, "/nowhere")).toEqual([
      'a.md: "b.md" is not there',
      'a.md: "docs/c.md#elsewhere" names a heading that docs/c.md has not',
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

  it("names options of the collector that there are", () => {
    const known = text("apps/collector/src/options.ts");
    for (const file of files.filter((one) => one.startsWith("docs/operations/")))
      for (const option of ["--plain", "--public-url", "--tls-cert", "--tls-key", "--tls-name", "--retention-days"])
        if (text(file).includes(option)) expect(known).toContain(option);
  });
});
