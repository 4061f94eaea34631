import { answer } from "@lynceus/client/client";
import { policySchema } from "@lynceus/protocol/policy";
import { policyProblems } from "@lynceus/protocol/policy-check";
import { safeText } from "@lynceus/protocol/present";
import { Command } from "commander";
import * as z from "zod";
import { type Cli, say, write } from "../cli.ts";
import { readInput } from "../files.ts";
import { lineDiff } from "../line-diff.ts";
import { wholeNumber } from "../parse.ts";
import { exitCodes, Problem, usageProblem } from "../problem.ts";
import { type Format, formatOption, printJson, printRows } from "../rows.ts";
import { connect } from "../session.ts";
import { timeText } from "../times.ts";
import { fromYaml, toYaml } from "../yaml.ts";

/** A policy as a file: `version` is the one that was edited, so that nobody's change is lost. */
const fileSchema = policySchema.extend({ version: z.int().min(0).optional() });

const current = (cli: Cli) => answer(connect(cli).GET("/api/v1/policy"));

const versionOption = (text: string) => wholeNumber(text, "--policy-version", 1, 2 ** 31 - 1);

const getCommand = (cli: Cli) =>
  new Command("get")
    .summary("print the policy in force as YAML")
    .description("Prints the policy that agents are told, as YAML. Its version is what a later apply is compared with.")
    .option("--policy-version <number>", "an earlier one", versionOption)
    .option("--json", "as JSON")
    .addHelpText("after", "\nExamples:\n  lynceus policy get > policy.yaml\n  lynceus policy get --policy-version 3")
    .action(async (options: { policyVersion?: number; json?: boolean }) => {
      const { policy } =
        options.policyVersion === undefined
          ? await current(cli)
          : await answer(
              connect(cli).GET("/api/v1/policy/versions/{version}", {
                params: { path: { version: options.policyVersion } },
              }),
            );
      return options.json ? printJson(cli, policy) : write(cli, toYaml(policy));
    });

/** The file beside what is in force. @throws Problem when it is none that could be saved */
async function compare(cli: Cli, file: string) {
  const { version: edited, ...proposed } = fromYaml(await readInput(cli, file), file, fileSchema);
  const problems = policyProblems(proposed);
  if (problems.length > 0)
    throw usageProblem(
      `${file} cannot be saved: ${problems.map(({ path, message }) => `${path}: ${message}`).join("; ")}`,
    );
  const { policy, version } = await current(cli);
  const { version: _version, ...present } = policy;
  // In the order of the schema, both: the order in a file says nothing.
  const inOrder = (one: unknown) => toYaml(policySchema.omit({ version: true }).parse(one));
  const difference = lineDiff(inOrder(present), inOrder(proposed), [`version ${version}`, file]);
  return { version, edited, proposed, difference };
}

const diffCommand = (cli: Cli) =>
  new Command("diff")
    .summary("what a file would change")
    .description("Shows what a file would change. Exit code 1 when it would change something, 0 when nothing.")
    .argument("<file>", "YAML or JSON; - for standard input")
    .addHelpText("after", "\nExample:\n  lynceus policy diff policy.yaml")
    .action(async (file: string) => {
      const { difference, version } = await compare(cli, file);
      if (difference === null) return say(cli, `the same as version ${version}`);
      await write(cli, difference);
      throw new Problem("", exitCodes.failed);
    });

const applyCommand = (cli: Cli) =>
  new Command("apply")
    .summary("save a file as the next version")
    .description(
      "Saves a file as the next version of the policy; agents take it within a heartbeat. A file whose version is no longer the one in force is refused, with exit code 5.",
    )
    .argument("<file>", "YAML or JSON; - for standard input")
    .option("--note <text>", "why, for those who read the versions", "")
    .option("--dry-run", "show what it would change, and save nothing")
    .addHelpText(
      "after",
      '\nExamples:\n  lynceus policy apply policy.yaml --dry-run\n  lynceus policy apply policy.yaml --note "probe Autodiscover too"',
    )
    .action(async (file: string, options: { note: string; dryRun?: boolean }) => {
      const { difference, version, edited, proposed } = await compare(cli, file);
      if (edited !== undefined && edited !== version)
        throw new Problem(
          `${file} was made of version ${edited}, and version ${version} is in force; bring it up to date: lynceus policy get`,
          exitCodes.conflict,
        );
      if (difference === null) return say(cli, `nothing to save: the same as version ${version}`);
      await write(cli, difference);
      if (options.dryRun) return say(cli, "nothing is saved");
      // Read by the schema of the API itself; the generated type has no word for what may be undefined.
      const saved = await answer(
        connect(cli).PUT("/api/v1/policy", {
          body: { baseVersion: version, note: options.note, policy: proposed as never },
        }),
      );
      say(cli, `version ${saved.version} is in force`);
    });

const versionsCommand = (cli: Cli) =>
  new Command("versions")
    .summary("who changed it, and when")
    .description("Lists every version of the policy, the newest first.")
    .addOption(formatOption())
    .addHelpText("after", "\nExample:\n  lynceus policy versions")
    .action(async (options: { output: Format }) => {
      const { items } = await answer(connect(cli).GET("/api/v1/policy/versions"));
      const time = timeText(cli, options.output);
      await printRows(cli, items, {
        format: options.output,
        columns: [
          { name: "version", of: (row) => String(row.version) },
          { name: "saved", of: (row) => time(row.createdAt) },
          { name: "by", of: (row) => row.createdBy },
          { name: "note", of: (row) => safeText(row.note) },
        ],
        empty: "there is no policy yet",
      });
    });

export const policyCommand = (cli: Cli) =>
  new Command("policy")
    .summary("what agents are told: get, diff, apply, versions")
    .description("The policy: what agents probe, how often, and where the inside is.")
    .addCommand(getCommand(cli))
    .addCommand(diffCommand(cli))
    .addCommand(applyCommand(cli))
    .addCommand(versionsCommand(cli));
