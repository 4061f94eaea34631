"use client";

import { formatCount } from "@lynceus/protocol/present";
import type { MachineRow as Machine } from "@lynceus/protocol/read-api";
import { useMediaQuery } from "@mantine/hooks";
import { notifications } from "@mantine/notifications";
import { useTable } from "@tanstack/react-table";
import { useVirtualizer } from "@tanstack/react-virtual";
import { useRouter } from "next/navigation";
import { type MouseEvent, type ReactNode, useEffect, useMemo, useRef, useState } from "react";
import type { BulkKind } from "../../lib/bulk-input.ts";
import { BulkBar, type May } from "./bulk-bar.tsx";
import { Cards } from "./cards.tsx";
import { columnIds, columnInfo, infoOf } from "./column-info.ts";
import { columns, features, keptTableRows, type TableRow } from "./columns.tsx";
import { saveMachines } from "./export-button.tsx";
import { FilterField } from "./filter-field.tsx";
import { machineHref, term } from "./links.ts";
import { MachineRow, type RowActs } from "./machine-row.tsx";
import styles from "./machines.module.css";
import { ProbeRun } from "./probe-run.tsx";
import type { Defaults } from "./query.ts";
import { type Chosen, countOf, isChosen, mostByHand, nothing, withoutRow, withRows } from "./selection.ts";
import { useListState } from "./use-list-state.ts";
import { fetchRows, type RowsPage, useRows } from "./use-rows.ts";
import { useTableKeys } from "./use-table-keys.ts";

/** Height of a row, px. */
const heights = { compact: 29, relaxed: 36 } as const;
/** Before the browser has measured the list: what a laptop's screen shows of it. */
const firstView = { width: 1300, height: 900 };

/** Filter field, count line and table. The server sorts, filters and gives rows from any place of the list. */
export function MachinesTable({
  query,
  sort,
  first,
  zone,
  fields,
  defaults,
  may,
  counts,
  children,
}: {
  query: string;
  sort: string;
  /** The first rows; those beyond are read when somebody comes there. */
  first: RowsPage;
  zone: string;
  /** Fields that the table can be filtered by. */
  fields: readonly string[];
  defaults: Defaults;
  may: May;
  /** The count line, rendered by the server. */
  counts: ReactNode;
  /** What is shown instead of rows: groups, or that nothing matches. */
  children?: ReactNode;
}) {
  const router = useRouter();
  const { cols, density, setQuery, setSort, setDensity } = useListState(defaults);
  const phone = useMediaQuery("(max-width: 48em)") ?? false;
  const filter = useRef<HTMLInputElement>(null);
  const scroller = useRef<HTMLDivElement>(null);

  const { rows, total, asOf, waiting, changed, look, show } = useRows(first, { query, sort });
  const [chosen, setChosen] = useState<Chosen>(nothing);
  const [active, setActive] = useState(-1);
  const [anchor, setAnchor] = useState(-1);
  const [asked, setAsked] = useState<BulkKind | null>(null);
  const [probing, setProbing] = useState<string | null>(null);

  const height = heights[density];
  const virtualizer = useVirtualizer({
    count: total,
    getScrollElement: () => scroller.current,
    estimateSize: () => height,
    overscan: 12,
    enabled: !phone,
    initialRect: firstView,
  });
  // biome-ignore lint/correctness/useExhaustiveDependencies: another row height is what has to be measured.
  useEffect(() => virtualizer.measure(), [virtualizer, height]);
  const items = virtualizer.getVirtualItems();
  const [from, to] = [items[0]?.index ?? 0, (items.at(-1)?.index ?? -1) + 1];
  useEffect(() => look(from, to), [look, from, to]);

  // The table is of what is drawn: places by their index, also those whose row is not there yet.
  const tableRow = useMemo(() => keptTableRows({ now: Date.parse(asOf), zone }), [asOf, zone]);
  const drawn = useMemo(() => {
    const list: TableRow[] = [];
    for (let i = from; i < to; i++) {
      const row = rows.get(i);
      if (row !== undefined) list.push(tableRow(row));
    }
    return list;
  }, [rows, from, to, tableRow]);
  const visibility = useMemo(() => Object.fromEntries(columnIds.map((id) => [id, cols.includes(id)])), [cols]);
  const table = useTable({
    features,
    columns,
    data: drawn,
    getRowId: (entry: TableRow) => entry.row.id,
    state: { columnVisibility: visibility },
  });
  const modelOf = new Map(table.getRowModel().rows.map((row) => [row.id, row]));

  const chooseRange = async (a: number, b: number) => {
    const [start, end] = a < b ? [a, b + 1] : [b, a + 1];
    if (end - start > mostByHand) {
      notifications.show({
        message: `By hand at most ${formatCount(mostByHand)} rows are chosen; select all that match instead.`,
      });
      return;
    }
    const known = Array.from({ length: end - start }, (_, i) => rows.get(start + i));
    if (known.every((row) => row !== undefined)) {
      setChosen((was) => withRows(was, known));
      return;
    }
    const page = await fetchRows({ query, sort }, start, Math.min(500, end - start), total).catch(() => null);
    const rest =
      end - start > 500
        ? await fetchRows({ query, sort }, start + 500, end - start - 500, total).catch(() => null)
        : null;
    if (page === null) notifications.show({ message: "The rows between could not be read. Nothing was chosen." });
    else setChosen((was) => withRows(was, [...page.items, ...(rest?.items ?? [])]));
  };
  const select = (at: number, range: boolean) => {
    const row = rows.get(at);
    if (row === undefined || chosen.kind === "all") return;
    if (range && anchor >= 0) void chooseRange(anchor, at);
    else setChosen(isChosen(chosen, row.id) ? withoutRow(chosen, row.id) : withRows(chosen, [row]));
    setAnchor(at);
  };
  const clear = () => {
    setChosen(nothing);
    setAnchor(-1);
  };
  // A selection is of the rows that were looked at.
  // biome-ignore lint/correctness/useExhaustiveDependencies: another question is what clears it.
  useEffect(() => {
    clear();
    setActive(-1);
    scroller.current?.scrollTo({ top: 0 });
  }, [query, sort]);

  /** The rows that are on screen now, of those that are drawn. */
  const onScreen = (): Machine[] => {
    const { scrollTop = 0, clientHeight = 0 } = scroller.current ?? {};
    const [start, end] = [Math.floor(scrollTop / height), Math.floor((scrollTop + clientHeight - 30) / height)];
    return Array.from({ length: Math.max(0, end - start) }, (_, i) => rows.get(start + i)).filter(
      (row) => row !== undefined,
    );
  };
  const count = countOf(chosen);
  const probeOne = async (row: Machine) => {
    const response = await fetch(`/api/machines/${row.id}/check-now`, { method: "POST" }).catch(() => null);
    notifications.show({
      message: response?.ok
        ? "Asked to probe now. Results appear as they arrive."
        : "It could not be asked: not connected, or no right to.",
    });
  };

  useTableKeys({
    move: (by) => {
      const next = Math.max(0, Math.min(total - 1, active + by));
      setActive(next);
      virtualizer.scrollToIndex(next);
    },
    toggle: (range) => select(active, range),
    open: () => {
      const row = rows.get(active);
      if (row) router.push(machineHref(row.id));
    },
    clear: () => (count > 0 ? clear() : setActive(-1)),
    filter: () => filter.current?.focus(),
    probe: () => {
      const row = rows.get(active);
      if (count > 0) setAsked("probe");
      else if (row) void probeOne(row);
    },
    density: () => setDensity(density === "compact" ? "relaxed" : "compact"),
  });

  const sortBy = (key: string) => {
    const descending = sort === `-${key}` ? false : sort === key ? true : key === "since" || key === "seen";
    setSort(`${descending ? "-" : ""}${key}`);
  };
  const altClick = (event: MouseEvent, id: string, row: Machine) => {
    const info = infoOf(id);
    const value = info.value?.(row) ?? null;
    if (!event.altKey || !info.field || value === null || value === "") return;
    event.preventDefault();
    const added = value === "none" || value === "unknown" ? `${info.field}:${value}` : term(info.field, value);
    setQuery([query, added].filter((part) => part !== "").join(" "));
  };

  const latest = useRef<RowActs>(undefined);
  latest.current = {
    activate: setActive,
    open: (id) => router.push(machineHref(id)),
    select,
    filterBy: altClick,
  };
  const acts = useMemo<RowActs>(
    () => ({
      activate: (at) => latest.current?.activate(at),
      open: (id) => latest.current?.open(id),
      select: (at, range) => latest.current?.select(at, range),
      filterBy: (event, column, machine) => latest.current?.filterBy(event, column, machine),
    }),
    [],
  );

  const visible = useMemo(() => columnIds.filter((id) => cols.includes(id)), [cols]);
  const width = visible.reduce((sum, id) => sum + columnInfo[id].width, 30);
  const before = items[0]?.start ?? 0;
  const after = virtualizer.getTotalSize() - (items.at(-1)?.end ?? 0);
  const columnCount = visible.length + 1;

  return (
    <>
      <FilterField query={query} onChange={setQuery} zone={zone} fields={fields} inputRef={filter} />
      <div className={styles.countline}>
        {counts}
        {count > 0 ? <span>{formatCount(count)} selected</span> : null}
        {waiting > 0 ? (
          <button type="button" className={styles.inline} onClick={show} aria-live="polite">
            {formatCount(waiting)} changed, show
          </button>
        ) : null}
        {probing === null ? null : <ProbeRun id={probing} onOver={() => setProbing(null)} />}
        <span className={styles.legend}>Chains: DNS · TCP · CONNECT · TLS · HTTP · auth</span>
      </div>
      {children !== undefined && children !== null ? (
        children
      ) : phone ? (
        <Cards
          rows={firstLoaded(rows).map(tableRow)}
          total={total}
          onMore={() => look(firstLoaded(rows).length, firstLoaded(rows).length + 100)}
        />
      ) : (
        <div className={styles.wrap}>
          <div ref={scroller} className={styles.scroll}>
            <table
              className={styles.table}
              style={{ minWidth: width }}
              aria-rowcount={total + 1}
              data-density={density}
            >
              <caption className="vh">Machines, sorted by {sort.replace("-", "")}</caption>
              <colgroup>
                <col style={{ width: 30 }} />
                {visible.map((id) => (
                  <col key={id} style={{ width: columnInfo[id].width }} />
                ))}
              </colgroup>
              <thead>
                <tr aria-rowindex={1}>
                  <th scope="col" className={styles.check}>
                    <input
                      type="checkbox"
                      aria-label="Select the rows on screen"
                      checked={chosen.kind === "all"}
                      ref={(box) => {
                        if (box !== null) box.indeterminate = chosen.kind === "rows" && count > 0;
                      }}
                      onChange={() => (count > 0 ? clear() : setChosen(withRows(nothing, onScreen())))}
                    />
                  </th>
                  {table.getHeaderGroups()[0]?.headers.map((header) => {
                    const info = infoOf(header.column.id);
                    const down = sort === `-${info.sort}`;
                    const sorted = info.sort !== undefined && (down || sort === info.sort);
                    return (
                      <th
                        key={header.id}
                        scope="col"
                        className={header.column.id === "name" ? styles.frozen : undefined}
                        data-align={info.align}
                        aria-sort={sorted ? (down ? "descending" : "ascending") : undefined}
                      >
                        {info.sort === undefined ? (
                          info.title
                        ) : (
                          <button type="button" onClick={() => sortBy(info.sort as string)}>
                            {info.title}
                            {sorted ? <span aria-hidden="true"> {down ? "↓" : "↑"}</span> : null}
                          </button>
                        )}
                      </th>
                    );
                  })}
                </tr>
              </thead>
              <tbody>
                {before > 0 ? (
                  // biome-ignore lint/a11y/noAriaHiddenOnFocusable: the room of rows that are not drawn takes no focus.
                  <tr aria-hidden="true">
                    <td colSpan={columnCount} style={{ height: before, padding: 0, border: 0 }} />
                  </tr>
                ) : null}
                {items.map((item) => {
                  const machine = rows.get(item.index);
                  const row = machine && modelOf.get(machine.id);
                  if (!machine || !row)
                    return (
                      <tr key={`at-${item.index}`} aria-rowindex={item.index + 2} style={{ height }}>
                        <td colSpan={columnCount} className={styles.unread}>
                          <span className="vh">Not read yet</span>
                        </td>
                      </tr>
                    );
                  return (
                    <MachineRow
                      // By place: two places may hold one machine for a moment, while it moves.
                      key={`at-${item.index}`}
                      row={row}
                      at={item.index}
                      columns={visible}
                      on={isChosen(chosen, machine.id)}
                      active={item.index === active}
                      changed={changed.has(machine.id)}
                      fixed={chosen.kind === "all"}
                      height={height}
                      acts={acts}
                    />
                  );
                })}
                {after > 0 ? (
                  // biome-ignore lint/a11y/noAriaHiddenOnFocusable: the room of rows that are not drawn takes no focus.
                  <tr aria-hidden="true">
                    <td colSpan={columnCount} style={{ height: after, padding: 0, border: 0 }} />
                  </tr>
                ) : null}
              </tbody>
            </table>
          </div>
        </div>
      )}
      {count > 0 ? (
        <BulkBar
          chosen={chosen}
          total={total}
          may={may}
          onAll={() => setChosen({ kind: "all", q: query, at: Date.now(), machines: total })}
          onClear={clear}
          asked={asked}
          onAsk={setAsked}
          onProbing={setProbing}
          exportForm={(format) => saveMachines(format, { q: query, sort, cols }, chosen)}
        />
      ) : null}
    </>
  );
}

/** The rows from the first one on, up to where the first is missing. */
function firstLoaded(rows: ReadonlyMap<number, Machine>): Machine[] {
  const list: Machine[] = [];
  for (let i = 0; rows.has(i); i++) list.push(rows.get(i) as Machine);
  return list;
}
