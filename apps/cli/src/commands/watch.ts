import { setTimeout as delay } from "node:timers/promises";
import { ApiError, answer, type LynceusClient } from "@lynceus/client/client";
import { safeText } from "@lynceus/protocol/present";
import { type IncidentChange, incidentChangeSchema } from "@lynceus/protocol/read-api-incidents";
import { Command } from "commander";
import { EventSourceParserStream } from "eventsource-parser/stream";
import { type Cli, say, write } from "../cli.ts";
import { exitCodes, Problem } from "../problem.ts";
import { connect } from "../session.ts";
import { timeText } from "../times.ts";

interface Place {
  after: string | null;
}

/** Passes on what happens until the connection ends. Moves `place`, so that the next one goes on there. */
async function follow(
  cli: Cli,
  client: LynceusClient,
  place: Place,
  tell: (change: IncidentChange) => Promise<void>,
): Promise<void> {
  const stream = await answer<ReadableStream<Uint8Array> | null>(
    client.GET("/api/v1/events", {
      params: { query: { changes: "false", ...(place.after !== null && { after: place.after }) } },
      parseAs: "stream",
      signal: cli.interrupted,
    }) as Promise<{ data?: ReadableStream<Uint8Array> | null; error?: unknown; response: Response }>,
  );
  const events = stream
    ?.pipeThrough(new TextDecoderStream() as unknown as TransformStream<Uint8Array, string>)
    .pipeThrough(new EventSourceParserStream());
  for await (const { event, id, data } of (events ?? []) as AsyncIterable<{
    event?: string;
    id?: string;
    data: string;
  }>) {
    if (id) place.after = id;
    if (event === "reset") say(cli, "too much happened meanwhile to be told; lynceus incidents lists what is open");
    const change = event === "incident" ? incidentChangeSchema.safeParse(JSON.parse(data)) : null;
    if (change?.success) await tell(change.data);
  }
}

export const watchCommand = (cli: Cli) =>
  new Command("watch")
    .summary("follow what becomes of incidents, until Ctrl-C")
    .description(
      "Prints each entry of an incident's timeline as it happens. A connection that breaks is made again, and goes on where it was.",
    )
    .option("--after <id>", "begin after this entry, as --json prints it")
    .option("--json", "a line of JSON each, for a program")
    .addHelpText(
      "after",
      "\nExamples:\n  lynceus watch\n  lynceus watch --json | jq -r 'select(.event.kind==\"opened\") | .incident.title'",
    )
    .action(async (options: { after?: string; json?: boolean }) => {
      const client = connect(cli);
      const time = timeText(cli, "table");
      const place: Place = { after: options.after ?? null };
      const tell = (change: IncidentChange) =>
        write(
          cli,
          options.json
            ? `${JSON.stringify(change)}\n`
            : `${time(change.event.at)}  ${change.incident.number} ${safeText(change.incident.title)}: ${safeText(change.event.text)}\n`,
        );
      for (let wait = 1_000; ; ) {
        try {
          await follow(cli, client, place, tell);
          wait = 1_000;
        } catch (error) {
          if (cli.interrupted.aborted) return;
          // What is refused stays refused.
          if (error instanceof ApiError && error.status >= 400 && error.status < 500 && error.status !== 429)
            throw error;
          say(cli, `${error instanceof Error ? error.message : error}; trying again in ${Math.round(wait / 1000)} s`);
        }
        if (cli.interrupted.aborted) return;
        try {
          await delay(wait, undefined, { signal: cli.interrupted });
        } catch {
          return;
        }
        wait = Math.min(wait * 2, 30_000);
        if (cli.stdout.destroyed) throw new Problem("", exitCodes.done);
      }
    });
