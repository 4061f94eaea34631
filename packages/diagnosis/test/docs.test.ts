import { readdirSync, readFileSync } from "node:fs";
import { patternIds } from "@lynceus/protocol/names";
import { describe, expect, it } from "vitest";
import { indexPage, renewedPage } from "../scripts/pattern-pages.ts";
import { catalogue } from "../src/catalogue.ts";
import { patternTexts, textsOf } from "../src/texts.ts";

const folder = new URL("../../../docs/patterns/", import.meta.url);
const page = (name: string) => readFileSync(new URL(name, folder), "utf8");

describe("docs/patterns", () => {
  it("has a page for every pattern and no page for none", () => {
    const expected = [...patternIds.map((id) => `${id}.md`), "README.md"].sort();
    expect(readdirSync(folder).sort()).toEqual(expected);
  });

  it.each(catalogue.map((pattern) => [pattern.id, pattern] as const))(
    "%s is in step with the catalogue (npm run docs -w @lynceus/diagnosis)",
    (id, pattern) => {
      const existing = page(`${id}.md`);
      expect(existing).toBe(renewedPage(pattern, existing));
    },
  );

  it("has an index in step with the catalogue", () => {
    expect(page("README.md")).toBe(indexPage(catalogue));
  });

  it("keeps what was written by hand below the generated part", () => {
    const pattern = catalogue[0]!;
    const withNotes = `${renewedPage(pattern, null)}\n## Notes\n\nKept.\n`;
    expect(renewedPage(pattern, withNotes)).toBe(withNotes);
  });
});

describe("the texts", () => {
  it("are plain data, one per pattern", () => {
    expect(patternTexts.map(({ id }) => id)).toEqual([...patternIds]);
    expect(structuredClone(patternTexts)).toEqual(patternTexts);
    expect(textsOf("proxy-unreachable")?.title).toBe("The proxy this machine points to is dead");
    expect(textsOf("of-a-later-version")).toBeNull();
  });

  it("speak in the voice of the interface: sentence case, no exclamation marks, nothing promised about the user", () => {
    for (const { title, mechanism, evidence, notThis, remedy, whoFixes } of patternTexts) {
      expect(title).toMatch(/^[A-Z].*[^.]$/);
      for (const text of [title, mechanism, evidence, whoFixes, ...notThis, ...remedy.map(({ what }) => what)])
        expect(text).not.toMatch(/!|\bplease\b|\boops\b|\bcritical\b|user will be|prompted\b/i);
      expect(remedy.length).toBeGreaterThan(0);
      expect(notThis.length).toBeGreaterThan(0);
    }
  });
});
