import { readdirSync, readFileSync } from "node:fs";
import { createRequire } from "node:module";
import path from "node:path";
import { root } from "./program.ts";

/** As much of markdown-it's token as is read here: it comes without types. */
interface Token {
  readonly type: string;
  readonly info: string;
  readonly content: string;
  readonly children: readonly Token[] | null;
}
const markdown = createRequire(import.meta.url)("markdown-it")() as { parse(text: string, env: object): Token[] };

/** What a person types into a shell. A page that shows another program adds it here. */
const programs =
  "npm npx node lynceus lynceus-agent docker kubectl promtool openssl curl cp ln editor apt systemctl systemd-analyze msiexec sc icacls gpupdate dsregcmd";
const named = `(?:${programs.split(" ").join("|")})`;
/** Anywhere in a line of a block that says of itself nothing: a unit file, a crontab. */
const inLine = new RegExp(`(?:^|[\\s=/])${named}\\s+[^\\s;]`);
/** In a sentence: with what stands before it in the environment, and at least one word behind it. */
const inSentence = new RegExp(`^(?:[A-Z_]+=\\S+ )*${named}\\s+\\S`);

const withoutComment = (line: string) => line.replace(/\s+#\s.*$/, "").trim();

/** The commands that a page shows, in its order: all lines of its shell blocks, and what in others is one by its program. */
export function commandsOf(text: string): string[] {
  const lines = (content: string) =>
    content
      .replaceAll(/\\\n\s*/g, "")
      .split("\n")
      .map(withoutComment);
  return markdown.parse(text, {}).flatMap(({ type, info, content, children }) => {
    if (type === "fence" && info === "sh") return lines(content).filter((line) => line !== "");
    if (type === "code_block" || (type === "fence" && info === ""))
      return lines(content).filter((line) => inLine.test(line));
    return (children ?? [])
      .filter((child) => child.type === "code_inline" && inSentence.test(child.content))
      .map((child) => child.content);
  });
}

/** Every page of the documentation, from the root of the repository. */
export const documentationFiles = (): string[] => [
  "README.md",
  "CONTRIBUTING.md",
  "apps/grafana-datasource/README.md",
  "deploy/earlier-agents/README.md",
  ...(readdirSync(path.join(root, "docs"), { recursive: true }) as string[])
    .filter((file) => file.endsWith(".md"))
    .map((file) => `docs/${file}`),
];

/** Each command of the documentation, with the pages that show it. */
export function documentedCommands(): Map<string, string[]> {
  const found = new Map<string, string[]>();
  for (const file of documentationFiles())
    for (const command of commandsOf(readFileSync(path.join(root, file), "utf8")))
      found.set(command, [...(found.get(command) ?? []), file]);
  return found;
}
