import { readdirSync, readFileSync } from "node:fs";
import path from "node:path";
import { fileURLToPath } from "node:url";
import { describe, expect, it } from "vitest";
import { auditChanges, auditKinds } from "../src/components/settings/audit-changes.ts";

describe("what an entry of the audit log changed", () => {
  it("is what differs, by its path; what stayed is left out", () => {
    const before = { role: "viewer", sites: ["Bern"], tags: null };
    const after = { role: "admin", sites: ["Bern", "Graz"], tags: null };
    expect(auditChanges(before, after)).toEqual([
      { key: "role", before: "viewer", after: "admin" },
      { key: "sites", before: "Bern", after: "Bern, Graz" },
    ]);
  });

  it("names what came and what went, and things of a list by their own name, wherever they stand", () => {
    const target = (id: string, host: string) => ({ id, host });
    expect(
      auditChanges(
        { targets: [target("a", "a.example.org"), target("b", "b.example.org")] },
        { targets: [target("c", "c.example.org"), target("a", "a.example.org")] },
      ),
    ).toEqual([
      { key: "targets[b].id", before: "b", after: null },
      { key: "targets[b].host", before: "b.example.org", after: null },
      { key: "targets[c].id", before: null, after: "c" },
      { key: "targets[c].host", before: null, after: "c.example.org" },
    ]);
  });

  it("counts machines of which there are many, and shows a list's beginning", () => {
    const id = (n: number) => `00000000-0000-4000-8000-00000000000${n}`;
    expect(auditChanges({ Bern: [id(1), id(2)] }, null)).toEqual([{ key: "Bern", before: "2 machines", after: null }]);
    const names = Array.from({ length: 14 }, (_, n) => `n${n}`);
    expect(auditChanges(null, names)[0]?.after).toMatch(/^n0, .*, n11 and 2 more$/);
  });

  it("is nothing where nothing is kept, and harmless where it is hostile", () => {
    expect(auditChanges(null, null)).toEqual([]);
    expect(auditChanges(null, "\u202e<b>")).toEqual([{ key: "", before: null, after: "⟨U+202E⟩<b>" }]);
    expect(auditChanges({ __proto__: { x: 1 } }, [])).toEqual([{ key: "", before: null, after: "none" }]);
  });
});

it("has a word for each kind of act that the sources write", () => {
  const root = fileURLToPath(new URL("../../..", import.meta.url));
  const found = ["packages/db/src", "apps/dashboard/src", "apps/collector/src"]
    .flatMap((folder) =>
      readdirSync(path.join(root, folder), { recursive: true, withFileTypes: true })
        .filter((entry) => entry.isFile() && /\.tsx?$/.test(entry.name) && !entry.parentPath.includes("generated"))
        .map((entry) => readFileSync(path.join(entry.parentPath, entry.name), "utf8")),
    )
    .flatMap((source) => [...source.matchAll(/\baction: (?:\w+ \? )?[`"]([a-z-]+)\./g)].map(([, kind]) => kind));
  const kinds = new Set(found);
  expect(kinds.size).toBeGreaterThan(10);
  expect([...kinds].filter((kind) => !Object.hasOwn(auditKinds, kind ?? ""))).toEqual([]);
});
