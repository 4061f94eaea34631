import tab from "@bomb.sh/tab/commander";
import { answer } from "@lynceus/client/client";
import { completionOf, quoteValue } from "@lynceus/protocol/filter-completion";
import type { Command } from "commander";
import type { Cli } from "./cli.ts";
import { connect } from "./session.ts";

interface Suggestion {
  readonly value: string;
  readonly text: string;
}

/** Who presses Tab waits no longer than this for the values that a field has. */
const patience = 1_500;

/** What the term under the cursor may become. Never throws: without a collector there are the fields. */
export async function filterSuggestions(cli: Cli, term: string): Promise<Suggestion[]> {
  const completion = completionOf(term);
  if (completion.kind === "field") return completion.options.map(({ value, title }) => ({ value, text: title }));
  try {
    const { items } = await answer(
      connect(cli).GET("/api/v1/values", {
        params: { query: { field: completion.field as never, ...(completion.prefix && { q: completion.prefix }) } },
        signal: AbortSignal.timeout(patience),
      }),
    );
    // Shells take what they are offered as a part of a command line, and machines say what their values are.
    const harmless = items.filter(({ value }) => /^[\p{L}\p{N}._:@+/*=-]+$/u.test(value));
    return harmless.map(({ value, machines }) => ({
      value: `${completion.head}${quoteValue(value)}`,
      text: `${machines} machines`,
    }));
  } catch {
    return [];
  }
}

/** Commands whose first argument is a filter. */
const filtered = ["machines", "counts", "incidents", "silence add", "canary run"];

/**
 * Adds `completion SHELL`, which prints a shell's script, and what that script asks at each Tab. `args`: of this call; what
 * is asked of the collector for them is asked before, since the library's own answers are ready at once.
 */
export async function addCompletion(cli: Cli, program: Command, args: readonly string[]): Promise<void> {
  const asked = args[0] === "complete" && args[1] === "--";
  const suggestions = asked ? await filterSuggestions(cli, args.at(-1) ?? "") : [];
  const completion = tab(program, { completionCommandName: "completion" });
  for (const name of filtered)
    completion.commands.get(name)?.argument(
      "filter",
      (complete) => {
        for (const { value, text } of suggestions) complete(value, text);
      },
      true,
    );
}
