import { PassThrough } from "node:stream";
import type { Command } from "commander";
import { describe, expect, it } from "vitest";
import { createProgram } from "../src/program.ts";

const program = createProgram({
  version: "0.1.0",
  env: {},
  cwd: "/",
  now: () => 0,
  zone: "UTC",
  places: { collector: "", dataDirectory: "" },
  stdin: new PassThrough(),
  stdout: new PassThrough(),
  stderr: new PassThrough(),
  interrupted: new AbortController().signal,
});

function leaves(command: Command, name: string): [string, Command][] {
  return command.commands.length === 0
    ? [[name, command]]
    : command.commands.flatMap((one) => leaves(one, `${name} ${one.name()}`));
}
function helpOf(command: Command): string {
  let text = "";
  command.configureOutput({ writeOut: (part) => (text += part) });
  command.outputHelp();
  return text;
}
/** Its help is the collector's own program's. */
const others = new Set(["lynceus rediagnose"]);
const all = leaves(program, "lynceus").filter(([name]) => !others.has(name));

describe("the help of", () => {
  it.each(all)("%s says what it does, and shows it by an example where it takes something", (name, command) => {
    const help = helpOf(command);
    expect(command.description()).toMatch(/\.$/);
    if (command.registeredArguments.length + command.options.length === 0) return;
    const examples = /\nExamples?:\n([\s\S]+)/.exec(help)?.[1] ?? "";
    expect(examples).toContain(`${name}`);
  });

  it("examples names options that there are", () => {
    for (const [name, command] of all) {
      const examples = /\nExamples?:\n([\s\S]+)/.exec(helpOf(command))?.[1] ?? "";
      for (const line of examples.split("\n").filter((one) => one.includes(`${name} `) && !one.includes("&&"))) {
        const said = line
          .slice(line.indexOf(name))
          .replace(/"[^"]*"/g, "")
          .replace(/[|<>].*/, "");
        for (const [, option = ""] of said.matchAll(/\s(--[a-z-]+)/g))
          expect(command.options.map(({ long }) => long)).toContain(option);
      }
    }
  });
});
