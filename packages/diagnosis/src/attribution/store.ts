import { type AttributionKey, attributionKeys } from "@lynceus/protocol/names";
import type { Subject } from "./types.ts";

/*
 * The machines of one location in columns: a value is a small number, so that a machine is changed in the time of its
 * keys, and 100,000 of them are read through in milliseconds.
 */

/** Side on which a machine counts. */
export const sides = { gone: 0, undecided: 1, healthy: 2, failing: 3 } as const;
type Side = (typeof sides)[keyof typeof sides];

/** One key. Index of all lists but `codes` is the value's code; code 0 is "not known". */
export interface Column {
  readonly key: AttributionKey;
  /** Code of each row. Longer than there are rows, and another array after it had to grow. */
  readonly codes: Int32Array;
  readonly values: string[];
  readonly failing: number[];
  readonly healthy: number[];
}

interface OpenColumn extends Column {
  codes: Int32Array;
  readonly codeOf: Map<string, number>;
  /** Rows that have the code, on any side. */
  readonly rows: number[];
  /** Codes that no row has any more. */
  readonly free: number[];
}

export interface Store {
  readonly size: number;
  /** Per row, of which there are `ids.length`. A row that is gone keeps its place until another machine takes it. */
  readonly ids: readonly string[];
  readonly sides: Uint8Array;
  readonly since: readonly (number | null)[];
  readonly columns: readonly Column[];
  sideOf(id: string): number;
  /** Machines per side. */
  count(side: Side): number;
  set(subject: Subject): void;
  delete(id: string): void;
}

const sideOfSubject = ({ failing }: Subject): Side =>
  failing === null ? sides.undecided : failing ? sides.failing : sides.healthy;

export function createStore(): Store {
  const rowOf = new Map<string, number>();
  const freeRows: number[] = [];
  const ids: string[] = [];
  let sideOfRow = new Uint8Array(1024);
  const since: (number | null)[] = [];
  const counts = [0, 0, 0, 0];
  const columns: readonly OpenColumn[] = attributionKeys.map((key) => ({
    key,
    codes: new Int32Array(1024),
    values: [""],
    failing: [0],
    healthy: [0],
    codeOf: new Map(),
    rows: [0],
    free: [],
  }));

  /** Adds `by` to what a value's code counts. */
  function tally(column: OpenColumn, code: number, side: number, by: 1 | -1): void {
    if (side === sides.failing) column.failing[code] = (column.failing[code] ?? 0) + by;
    else if (side === sides.healthy) column.healthy[code] = (column.healthy[code] ?? 0) + by;
    const left = (column.rows[code] ?? 0) + by;
    column.rows[code] = left;
    if (left > 0 || code === 0) return;
    column.codeOf.delete(column.values[code] ?? "");
    column.free.push(code);
  }

  /** Makes room for one row more. */
  function grow(): void {
    const longer = <T extends Uint8Array | Int32Array>(old: T, next: T): T => {
      next.set(old);
      return next;
    };
    const length = 2 * sideOfRow.length;
    sideOfRow = longer(sideOfRow, new Uint8Array(length));
    for (const column of columns) column.codes = longer(column.codes, new Int32Array(length));
  }

  function codeOf(column: OpenColumn, value: string | null | undefined): number {
    if (value === null || value === undefined) return 0;
    const known = column.codeOf.get(value);
    if (known !== undefined) return known;
    const code = column.free.pop() ?? column.values.length;
    column.codeOf.set(value, code);
    column.values[code] = value;
    column.failing[code] = 0;
    column.healthy[code] = 0;
    column.rows[code] = 0;
    return code;
  }

  function clear(row: number): void {
    const side = sideOfRow[row] ?? sides.gone;
    if (side === sides.gone) return;
    for (const column of columns) tally(column, column.codes[row] ?? 0, side, -1);
    counts[side] = (counts[side] ?? 0) - 1;
    sideOfRow[row] = sides.gone;
  }

  return {
    get size() {
      return rowOf.size;
    },
    ids,
    get sides() {
      return sideOfRow;
    },
    since,
    columns,
    sideOf: (id) => sideOfRow[rowOf.get(id) ?? -1] ?? sides.gone,
    count: (side) => counts[side] ?? 0,
    set(subject) {
      let row = rowOf.get(subject.id);
      if (row === undefined) {
        row = freeRows.pop() ?? ids.length;
        rowOf.set(subject.id, row);
        ids[row] = subject.id;
        if (row >= sideOfRow.length) grow();
      } else clear(row);
      const side = sideOfSubject(subject);
      sideOfRow[row] = side;
      since[row] = subject.failing === true ? subject.failingSince : null;
      counts[side] = (counts[side] ?? 0) + 1;
      for (const column of columns) {
        const code = codeOf(column, subject.values[column.key]);
        column.codes[row] = code;
        tally(column, code, side, 1);
      }
    },
    delete(id) {
      const row = rowOf.get(id);
      if (row === undefined) return;
      clear(row);
      rowOf.delete(id);
      freeRows.push(row);
    },
  };
}
