import { readdirSync, readFileSync } from "node:fs";
import path from "node:path";
import { fileURLToPath } from "node:url";
import { expect, it } from "vitest";

const source = fileURLToPath(new URL("../src/api", import.meta.url));
const page = readFileSync(new URL("../../../docs/api.md", import.meta.url), "utf8");

it("every error code of the API stands in docs/api.md, and no other does", () => {
  const text = readdirSync(source)
    .map((file) => readFileSync(path.join(source, file), "utf8"))
    .join("\n");
  const thrown = [...text.matchAll(/new ApiProblem\(\s*\d+,\s*"([a-z-]+)"/g)].map(([, code]) => code);
  const mapped = [...text.matchAll(/\bcode: (?:status === 429 \? )?"([a-z-]+)"(?: : "([a-z-]+)")?/g)].flatMap(
    ([, one, other]) => [one, other],
  );
  const codes = new Set([...thrown, ...mapped].filter((code) => code !== undefined));
  expect(codes.size).toBeGreaterThan(10);
  const documented = [...page.matchAll(/^\| `([a-z-]+)` \| [\dx]+ \|/gm)].map(([, code]) => code);
  expect(documented).toEqual([...codes].sort());
});
