import { pages } from "@lynceus/client/client";
import { Option } from "commander";
import { wholeNumber } from "./parse.ts";
import type { Format } from "./rows.ts";

/** Rows of a table that a person reads; whoever wants a file wants all. */
const tableRows = 100;

export const limitOption = () =>
  new Option("-n, --limit <number>", "most rows; 0 for all (100 in a table, else all)").argParser((text) =>
    wholeNumber(text, "--limit", 0, 10_000_000),
  );

export const rowLimit = (limit: number | undefined, format: Format): number =>
  (limit ?? (format === "table" ? tableRows : 0)) || Number.POSITIVE_INFINITY;

type Ask<Item> = Parameters<typeof pages<Item>>[0];

/** The first rows of a list of the API, a page at a time, and of how many. */
export function firstRows<Item>(ask: Ask<Item>, most: number) {
  let total: number | null = null;
  const counted: Ask<Item> = async (query) => {
    const asked = await ask(query);
    const page = asked.data as { total?: number } | undefined;
    total ??= page?.total ?? null;
    return asked;
  };
  async function* rows(): AsyncGenerator<Item, void, void> {
    let count = 0;
    for await (const item of pages(counted, Math.min(500, most))) {
      yield item;
      if (++count >= most) return;
    }
  }
  return { rows: rows(), total: () => total };
}
