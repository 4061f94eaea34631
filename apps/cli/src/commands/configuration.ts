import { answer, type LynceusClient } from "@lynceus/client/client";
import { policySchema } from "@lynceus/protocol/policy";
import { policyProblems } from "@lynceus/protocol/policy-check";
import { safeText } from "@lynceus/protocol/present";
import { Command } from "commander";
import * as z from "zod";
import { type Cli, say, write } from "../cli.ts";
import { readInput } from "../files.ts";
import { lineDiff } from "../line-diff.ts";
import { usageProblem } from "../problem.ts";
import { connect } from "../session.ts";
import { fromYaml, toYaml } from "../yaml.ts";

/* What an admin configured, as one file: to keep in version control, or to bring to another installation. */

const configurationSchema = z.strictObject({
  lynceus: z.literal(1),
  policy: policySchema.omit({ version: true }).optional(),
  sites: z.array(z.strictObject({ cidr: z.string(), site: z.string() })).optional(),
  /** The collector checks it. Without secrets: receivers with the same id keep theirs. */
  alerting: z.record(z.string(), z.unknown()).optional(),
});
type Configuration = z.infer<typeof configurationSchema>;

/** What is in force, and the versions that a change is of. */
async function configurationOf(client: LynceusClient) {
  const stored = await answer(client.GET("/api/v1/policy"));
  const { version: _version, ...policy } = stored.policy;
  const { items: sites } = await answer(client.GET("/api/v1/sites"));
  const alerting = await answer(client.GET("/api/v1/alerting/config"));
  if (typeof alerting === "string") throw new Error("the collector answered a file, and JSON was asked for");
  const configuration: Configuration = configurationSchema.parse({
    lynceus: 1,
    policy,
    sites,
    alerting: alerting.config,
  });
  return { configuration, versions: { policy: stored.version, alerting: alerting.version } };
}

export const exportCommand = (cli: Cli) =>
  new Command("export")
    .summary("policy, sites and alerting as one file")
    .description(
      "Prints what is configured as one YAML file: the policy, the map from subnets to sites, and alerting. It holds no secret.",
    )
    .addHelpText("after", "\nExample:\n  lynceus export > lynceus.yaml")
    .action(async () => write(cli, toYaml((await configurationOf(connect(cli))).configuration)));

/** @throws Problem that says all that is wrong, before anything is saved */
async function check(client: LynceusClient, file: string, { policy, alerting }: Configuration): Promise<void> {
  const problems = (policy ? policyProblems(policy) : []).map(({ path, message }) => `policy.${path}: ${message}`);
  if (alerting) {
    const found = await answer(client.POST("/api/v1/alerting/validate", { body: alerting as never }));
    problems.push(...found.problems.map(({ path, message }) => `alerting.${path}: ${message}`));
  }
  if (problems.length > 0) throw usageProblem(`${file} cannot be saved: ${problems.join("; ")}`);
}

export const importCommand = (cli: Cli) =>
  new Command("import")
    .summary("make what is configured what a file says")
    .description(
      "Makes the policy, the sites and alerting what a file says, as lynceus export wrote it. Parts that the file does not have stay as they are; nothing is saved when a part of it is wrong. Secrets of receivers with the same id stay.",
    )
    .argument("<file>", "YAML or JSON; - for standard input")
    .option("--dry-run", "show what it would change, and save nothing")
    .option("--note <text>", "why, for those who read the versions", "lynceus import")
    .addHelpText(
      "after",
      "\nExamples:\n  lynceus import lynceus.yaml --dry-run\n  lynceus import lynceus.yaml --note CHG0012",
    )
    .action(async (file: string, options: { dryRun?: boolean; note: string }) => {
      const proposed = fromYaml(await readInput(cli, file), file, configurationSchema);
      const client = connect(cli);
      await check(client, file, proposed);
      const { configuration: present, versions } = await configurationOf(client);
      const changed = (["policy", "sites", "alerting"] as const).filter((part) => {
        if (proposed[part] === undefined) return false;
        const difference = lineDiff(toYaml({ [part]: present[part] }), toYaml({ [part]: proposed[part] }), [
          "in force",
          file,
        ]);
        if (difference) cli.stdout.write(difference);
        return difference !== null;
      });
      if (changed.length === 0) return say(cli, "nothing to save: all of it is in force");
      if (options.dryRun) return say(cli, `would change: ${changed.join(", ")}; nothing is saved`);
      const { note } = options;
      if (changed.includes("policy") && proposed.policy)
        await answer(
          client.PUT("/api/v1/policy", {
            body: { baseVersion: versions.policy, note, policy: proposed.policy as never },
          }),
        );
      if (changed.includes("sites") && proposed.sites)
        await answer(client.PUT("/api/v1/sites", { body: { items: proposed.sites } }));
      if (changed.includes("alerting")) {
        const { missing } = await answer(
          client.PUT("/api/v1/alerting/config", {
            body: { baseVersion: versions.alerting, note, config: proposed.alerting, secrets: {} },
          }),
        );
        for (const { path, message } of missing) say(cli, `alerting.${safeText(path)}: ${safeText(message, 500)}`);
      }
      say(cli, `saved: ${changed.join(", ")}`);
    });
