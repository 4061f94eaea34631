import { csvCell, formatCount, safeText } from "@lynceus/protocol/present";
import { Option } from "commander";
import stringWidth from "string-width";
import { type Cli, say, write } from "./cli.ts";
import { usageProblem } from "./problem.ts";

/** A column of a list. What a machine sent is made harmless where it is printed. */
export interface Column<Row> {
  readonly name: string;
  /** Empty where there is nothing. */
  readonly of: (row: Row) => string;
}

export const formats = ["table", "json", "csv"] as const;
export type Format = (typeof formats)[number];

export const formatOption = () =>
  new Option("-o, --output <format>", "how the list is written").choices(formats).default("table");

/** Columns by their names, in the order that was asked for. @throws Problem that names those there are */
export function chooseColumns<Row>(columns: readonly Column<Row>[], names: readonly string[]): Column<Row>[] {
  return names.map((name) => {
    const column = columns.find((one) => one.name === name);
    if (!column)
      throw usageProblem(
        `--columns "${name}" is no column; use some of ${columns.map((one) => one.name).join(",")}, e.g. --columns ${columns
          .slice(0, 3)
          .map((one) => one.name)
          .join(",")}`,
      );
    return column;
  });
}

/** As wide as the terminal; a name that is cut says so. */
function cut(line: string, width: number): string {
  if (stringWidth(line) <= width) return line;
  let shown = "";
  for (const character of line) {
    if (stringWidth(shown + character) > width - 1) break;
    shown += character;
  }
  return `${shown}…`;
}

/** Lines of a table, its head first. `width`: of the terminal, or Infinity. */
export function tableLines(head: readonly string[], rows: readonly (readonly string[])[], width: number): string[] {
  const widths = head.map((title, index) =>
    Math.max(stringWidth(title), ...rows.map((row) => stringWidth(row[index] ?? ""))),
  );
  const line = (cells: readonly string[]) =>
    cut(
      cells
        .map((cell, index) => cell + " ".repeat(Math.max(0, (widths[index] ?? 0) - stringWidth(cell))))
        .join("  ")
        .trimEnd(),
      width,
    );
  return [line(head), ...rows.map(line)];
}

export interface List<Row> {
  readonly format: Format;
  readonly columns: readonly Column<Row>[];
  /** What is said, beside the list, where it is empty. */
  readonly empty: string;
  /** How many there are, where the list is a part of them. */
  readonly total?: () => number | null;
}

/** Writes a list. JSON is an array of whole rows, CSV and tables have the columns. */
export async function printRows<Row>(
  cli: Cli,
  rows: AsyncIterable<Row> | Iterable<Row>,
  list: List<Row>,
): Promise<void> {
  const { format, columns, empty, total } = list;
  const cells = (row: Row) => columns.map((column) => safeText(column.of(row)));
  let count = 0;
  if (format === "json") {
    await write(cli, "[");
    for await (const row of rows) await write(cli, `${count++ === 0 ? "\n" : ",\n"}${JSON.stringify(row)}`);
    await write(cli, "\n]\n");
  } else if (format === "csv") {
    await write(cli, `${columns.map(({ name }) => name).join(",")}\r\n`);
    for await (const row of rows) {
      await write(cli, `${cells(row).map(csvCell).join(",")}\r\n`);
      count++;
    }
  } else {
    const all: string[][] = [];
    for await (const row of rows) all.push(cells(row));
    count = all.length;
    const width = cli.stdout.isTTY ? (cli.stdout.columns ?? 80) : Number.POSITIVE_INFINITY;
    if (count > 0)
      await write(
        cli,
        `${tableLines(
          columns.map(({ name }) => name.toUpperCase()),
          all,
          width,
        ).join("\n")}\n`,
      );
  }
  const whole = total?.() ?? count;
  if (format === "table" && count === 0) say(cli, empty);
  else if (whole > count) say(cli, `${formatCount(count)} of ${formatCount(whole)}; --limit 0 gives all of them`);
}

/** One thing, as JSON. */
export const printJson = (cli: Cli, thing: unknown): Promise<void> => write(cli, `${JSON.stringify(thing, null, 2)}\n`);

/** Names and values, one a line. */
export function fieldLines(fields: readonly (readonly [string, string])[]): string[] {
  const width = Math.max(...fields.map(([name]) => stringWidth(name)));
  return fields.map(([name, value]) => `${name}${" ".repeat(width - stringWidth(name))}  ${value}`);
}
