import { answer, type Schemas } from "@lynceus/client/client";
import { safeText } from "@lynceus/protocol/present";
import { Command } from "commander";
import { type Cli, say } from "../cli.ts";
import { incidentNumber } from "../parse.ts";
import { connect } from "../session.ts";

const numbers = (text: string, before: readonly number[] = []): number[] => [...before, incidentNumber(text)];
const outcome = ({ number, title, state }: Schemas["Incident"]) => `${number} ${safeText(title)}: ${state}`;

export const ackCommand = (cli: Cli) =>
  new Command("ack")
    .summary("acknowledge incidents: you have them")
    .description("Acknowledges incidents: nobody is reminded any more, and no further step is taken.")
    .argument("<number...>", "e.g. 1182 1183", numbers)
    .option("--note <text>", "what to write on the timeline beside it")
    .option("--release", "instead, nobody has it any more: escalation begins anew")
    .addHelpText(
      "after",
      '\nExamples:\n  lynceus ack 1182 --note "the proxy team is on it"\n  lynceus ack 1182 --release',
    )
    .action(async (asked: number[], options: { note?: string; release?: boolean }) => {
      const client = connect(cli);
      for (const number of asked) {
        const params = { params: { path: { number } } };
        const incident = await answer(
          options.release
            ? client.POST("/api/v1/incidents/{number}/release", params)
            : client.POST("/api/v1/incidents/{number}/acknowledge", params),
        );
        if (options.note)
          await answer(client.POST("/api/v1/incidents/{number}/note", { ...params, body: { text: options.note } }));
        say(cli, outcome(incident));
      }
    });

export const closeCommand = (cli: Cli) =>
  new Command("close")
    .summary("close incidents for people")
    .description("Closes incidents. While machines fail, a note has to say why; machines of its cause open it again.")
    .argument("<number...>", "e.g. 1182", numbers)
    .option("--note <text>", "why, while machines fail", "")
    .addHelpText("after", '\nExample:\n  lynceus close 1182 --note "test machines of the lab"')
    .action(async (asked: number[], { note }: { note: string }) => {
      const client = connect(cli);
      for (const number of asked)
        say(
          cli,
          outcome(
            await answer(
              client.POST("/api/v1/incidents/{number}/close", { params: { path: { number } }, body: { note } }),
            ),
          ),
        );
    });
