// `npm run docs`: makes dist/docs, a site of what is in docs/, README.md and CONTRIBUTING.md. Files alone: open index.html, or put
// them on any web server. `--check` makes nothing, and fails on a link that leads nowhere.
import { cpSync, mkdirSync, readdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import path from "node:path";
import { fail, install, root } from "./prepare.mjs";

await install();
const { checkLinks, readPages, renderPage, searchSections } = await import("./docs-site.mjs");

const files = [
  "README.md",
  "CONTRIBUTING.md",
  ...readdirSync(path.join(root, "docs"), { recursive: true })
    .filter((file) => file.endsWith(".md"))
    .map((file) => `docs/${file.replaceAll(path.sep, "/")}`)
    .sort(),
];
const pages = readPages(Object.fromEntries(files.map((file) => [file, readFileSync(path.join(root, file), "utf8")])));
const problems = checkLinks(pages, root);
if (problems.length > 0) fail(`links that lead nowhere:\n  ${problems.join("\n  ")}`, 1);
if (process.argv.includes("--check")) {
  process.stdout.write(`${pages.length} pages, every link leads somewhere\n`);
} else {
  const out = path.join(root, "dist/docs");
  rmSync(out, { recursive: true, force: true });
  for (const page of pages) {
    const target = path.join(out, page.target);
    mkdirSync(path.dirname(target), { recursive: true });
    writeFileSync(target, renderPage(page, pages));
  }
  cpSync(path.join(root, "docs/screens"), path.join(out, "docs/screens"), { recursive: true });
  const search = readFileSync(path.join(root, "scripts/docs-search.js"), "utf8");
  writeFileSync(path.join(out, "search.js"), `const sections = ${JSON.stringify(searchSections(pages))};\n${search}`);
  process.stdout.write(`${pages.length} pages: ${path.join(out, "index.html")}\n`);
}
