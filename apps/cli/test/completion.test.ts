import { spawnSync } from "node:child_process";
import { existsSync, mkdtempSync, rmSync, symlinkSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import path from "node:path";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { lynceus } from "./support/cli.ts";
import { root, startCollector, type TestCollector } from "./support/collector.ts";

const program = path.join(root, "apps/cli/dist/lynceus.mjs");
const directory = mkdtempSync(path.join(tmpdir(), "lynceus-completion-"));
let collector: TestCollector;
let env: NodeJS.ProcessEnv;
beforeAll(async () => {
  if (!existsSync(program)) throw new Error(`${program} is not there; npm test builds it`);
  collector = await startCollector();
  symlinkSync(program, path.join(directory, "lynceus"));
  await lynceus(["login", collector.url, "--pin", collector.pin], {
    env: { LYNCEUS_CONFIG_DIR: directory },
    stdin: collector.tokens.read,
  });
  env = { ...process.env, PATH: `${directory}:${process.env.PATH}`, LYNCEUS_CONFIG_DIR: directory, HOME: directory };
});
afterAll(async () => {
  await collector?.stop();
  rmSync(directory, { recursive: true, force: true });
});

function run(command: string, args: string[]): string {
  const { stdout, stderr, error, status } = spawnSync(command, args, { env, encoding: "utf8", cwd: directory });
  if (error) throw new Error(`${command} is not there; install the Debian package: apt-get install ${command}`);
  if (status !== 0) throw new Error(`${command} ended with ${status}: ${stderr}`);
  return stdout;
}

/** What bash would offer for a line, word by word. */
const bash = (...words: string[]) =>
  run("bash", [
    "-c",
    `source /usr/share/bash-completion/bash_completion; source <(lynceus completion bash)
     COMP_WORDS=(${words.map((word) => `'${word}'`).join(" ")}); COMP_CWORD=${words.length - 1}
     COMP_LINE='${words.join(" ")}'; COMP_POINT=\${#COMP_LINE}
     $(complete -p lynceus | sed 's/.*-F \\([^ ]*\\).*/\\1/')
     printf '%s\\n' "\${COMPREPLY[@]}"`,
  ]);

describe("completion in bash", () => {
  it("offers commands, subcommands and options", () => {
    expect(bash("lynceus", "mach")).toBe("machines\nmachine\n");
    expect(bash("lynceus", "policy", "")).toMatch(/^apply$/m);
    expect(bash("lynceus", "machines", "--out")).toMatch(/^--output/m);
  });

  it("offers fields of the filter, and values that machines have", () => {
    expect(bash("lynceus", "machines", "sit")).toMatch(/^site:/m);
    expect(bash("lynceus", "machines", "site:B")).toMatch(/Bern/);
  });
});

describe("completion in fish", () => {
  it("offers commands and values", () => {
    const script = path.join(directory, "lynceus.fish");
    writeFileSync(script, run("lynceus", ["completion", "fish"]));
    const offered = (line: string) => run("fish", ["-c", `source ${script}; complete -C '${line}'`]);
    expect(offered("lynceus mach")).toMatch(/^machines\t/m);
    expect(offered("lynceus machines site:B")).toMatch(/^site:Bern/m);
  });
});

describe("completion in zsh", () => {
  it("is a script that zsh takes", () => {
    const script = path.join(directory, "lynceus.zsh");
    writeFileSync(script, run("lynceus", ["completion", "zsh"]));
    run("zsh", ["-n", script]);
    expect(
      run("zsh", [
        "-fc",
        `autoload -U compinit && compinit -u -d ${directory}/dump && source ${script} && echo $_comps[lynceus]`,
      ]),
    ).toMatch(/lynceus/);
  });
});
