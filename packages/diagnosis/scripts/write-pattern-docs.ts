import { mkdirSync, readFileSync, writeFileSync } from "node:fs";
import { catalogue } from "../src/catalogue.ts";
import { indexPage, renewedPage } from "./pattern-pages.ts";

/* Writes docs/patterns: `npm run docs -w @lynceus/diagnosis`. A test says when it has to be run. */

const folder = new URL("../../../docs/patterns/", import.meta.url);

const readOrNull = (file: URL): string | null => {
  try {
    return readFileSync(file, "utf8");
  } catch {
    return null;
  }
};

mkdirSync(folder, { recursive: true });
for (const pattern of catalogue) {
  const file = new URL(`${pattern.id}.md`, folder);
  writeFileSync(file, renewedPage(pattern, readOrNull(file)));
}
writeFileSync(new URL("README.md", folder), indexPage(catalogue));
