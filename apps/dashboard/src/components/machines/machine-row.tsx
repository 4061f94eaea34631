import type { MachineRow as Machine } from "@lynceus/protocol/read-api";
import { FlexRender, type Row } from "@tanstack/react-table";
import { type MouseEvent, memo } from "react";
import { infoOf } from "./column-info.ts";
import type { features, TableRow } from "./columns.tsx";
import styles from "./machines.module.css";

/** What a row asks of its table. The same object for as long as the table is there. */
export interface RowActs {
  activate: (at: number) => void;
  open: (id: string) => void;
  select: (at: number, range: boolean) => void;
  filterBy: (event: MouseEvent, column: string, machine: Machine) => void;
}

interface Props {
  row: Row<typeof features, TableRow>;
  /** The place in the list, from 0. */
  at: number;
  columns: readonly string[];
  on: boolean;
  active: boolean;
  changed: boolean;
  /** All that match are chosen: none by hand. */
  fixed: boolean;
  height: number;
  acts: RowActs;
}

/** One machine of the table. Drawn anew when something of it is other than before, not when its neighbour is chosen. */
export const MachineRow = memo(
  function MachineRow({ row, at, on, active, changed, fixed, height, acts }: Props) {
    const { row: machine, view } = row.original;
    return (
      <tr
        aria-rowindex={at + 2}
        aria-selected={on}
        data-active={active}
        className={changed ? "changed" : undefined}
        style={{ height }}
        onClick={() => acts.activate(at)}
        onDoubleClick={() => acts.open(machine.id)}
      >
        <td className={styles.check}>
          <input
            type="checkbox"
            aria-label={`Select ${view.fullName}`}
            checked={on}
            disabled={fixed}
            onChange={() => {}}
            onClick={(event) => acts.select(at, event.shiftKey)}
          />
        </td>
        {row.getVisibleCells().map((cell) => (
          <td
            key={cell.id}
            className={cell.column.id === "name" ? styles.frozen : undefined}
            data-align={infoOf(cell.column.id).align}
            onClickCapture={(event) => acts.filterBy(event, cell.column.id, machine)}
          >
            <FlexRender cell={cell} />
          </td>
        ))}
      </tr>
    );
  },
  // The table's model of a row is a new one whenever any row is; what it is of is the same.
  (was, is) =>
    was.row.original === is.row.original &&
    was.at === is.at &&
    was.columns === is.columns &&
    was.on === is.on &&
    was.active === is.active &&
    was.changed === is.changed &&
    was.fixed === is.fixed &&
    was.height === is.height,
);
