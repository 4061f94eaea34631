"use client";

import { formatCount } from "@lynceus/protocol/present";
import type { MachineRow } from "@lynceus/protocol/read-api";
import { Button, Checkbox, Menu, UnstyledButton } from "@mantine/core";
import { useMediaQuery } from "@mantine/hooks";
import { notifications } from "@mantine/notifications";
import { useTable } from "@tanstack/react-table";
import { useVirtualizer } from "@tanstack/react-virtual";
import Link from "next/link";
import { useRouter } from "next/navigation";
import { parseAsArrayOf, parseAsString, parseAsStringLiteral, useQueryState } from "nuqs";
import { type MouseEvent, type ReactNode, useEffect, useMemo, useRef, useState } from "react";
import { CopyButton } from "../copy-button.tsx";
import { MiniChain } from "../evidence-chain/mini-chain.tsx";
import { Icon } from "../icon.tsx";
import { Chip } from "../status/chip.tsx";
import { StatusLabel } from "../status/status-label.tsx";
import {
  type ColumnId,
  columnIds,
  columnInfo,
  columns,
  defaultColumns,
  features,
  infoOf,
  type TableRow,
  toTableRow,
} from "./columns.tsx";
import { FilterField } from "./filter-field.tsx";
import { machineHref, term } from "./links.ts";
import styles from "./machines.module.css";
import { useTableKeys } from "./use-table-keys.ts";

export interface RowsPage {
  items: MachineRow[];
  nextCursor: string | null;
  total: number;
  asOf: string;
}

/** At most this many machines are asked to probe by one click: each one is a request to its collector. */
const probeLimit = 200;
/** Above this many rows "select all" is not offered: it would have to load them. */
const selectAllLimit = 1_000;

/** Filter field, count line and table. The server sorts, filters and pages; the page shows what it was given. */
export function MachinesTable({
  query,
  sort,
  first,
  zone,
  fields,
  counts,
  empty,
}: {
  query: string;
  sort: string;
  first: RowsPage;
  zone: string;
  /** Fields that the table can be filtered by. */
  fields: readonly string[];
  /** The count line, rendered by the server. */
  counts: ReactNode;
  /** What is shown instead of rows when nothing matches. */
  empty: ReactNode;
}) {
  const router = useRouter();
  const push = { shallow: false, history: "push" as const, clearOnDefault: true };
  const [, setQuery] = useQueryState("q", parseAsString.withDefault("").withOptions(push));
  const [, setSort] = useQueryState("sort", parseAsString.withDefault("-since").withOptions(push));
  const [cols, setCols] = useQueryState(
    "cols",
    parseAsArrayOf(parseAsStringLiteral(columnIds)).withDefault(defaultColumns),
  );
  const [density, setDensity] = useQueryState(
    "density",
    parseAsStringLiteral(["compact", "relaxed"] as const).withDefault("compact"),
  );
  const phone = useMediaQuery("(max-width: 48em)") ?? false;
  const filter = useRef<HTMLInputElement>(null);
  const scroller = useRef<HTMLDivElement>(null);

  const { page, waiting, show, more, loading, changed } = useRows(first, query, sort);
  const rows = useMemo(
    () => page.items.map((row) => toTableRow(row, { now: Date.parse(page.asOf), zone })),
    [page, zone],
  );
  const [selection, setSelection] = useState<Record<string, true>>({});
  const [active, setActive] = useState(-1);
  const [anchor, setAnchor] = useState(-1);
  const visibility = useMemo(() => Object.fromEntries(columnIds.map((id) => [id, cols.includes(id)])), [cols]);
  const table = useTable({
    features,
    columns,
    data: rows,
    getRowId: (entry: TableRow) => entry.row.id,
    state: { rowSelection: selection, columnVisibility: visibility },
    onRowSelectionChange: setSelection,
  });
  const model = table.getRowModel().rows;
  const height = density === "compact" ? 29 : 36;
  const virtualizer = useVirtualizer({
    count: model.length,
    getScrollElement: () => scroller.current,
    estimateSize: () => height,
    overscan: 20,
    enabled: !phone,
    initialRect: { width: 1300, height: 900 },
  });
  // biome-ignore lint/correctness/useExhaustiveDependencies: another row height is what has to be measured.
  useEffect(() => virtualizer.measure(), [virtualizer, height]);

  const chosen = Object.keys(selection).filter((id) => selection[id]);
  const chosenRows = page.items.filter((row) => selection[row.id]);
  const select = (at: number, range: boolean) => {
    const row = model[at];
    if (!row) return;
    const next = { ...selection };
    if (range && anchor >= 0) {
      const [from, to] = anchor < at ? [anchor, at] : [at, anchor];
      for (let i = from; i <= to; i++) {
        const id = model[i]?.id;
        if (id) next[id] = true;
      }
    } else if (next[row.id]) delete next[row.id];
    else next[row.id] = true;
    setAnchor(at);
    setSelection(next);
  };
  // A selection is of the rows that were looked at.
  // biome-ignore lint/correctness/useExhaustiveDependencies: another question is what clears it.
  useEffect(() => {
    setSelection({});
    setActive(-1);
    setAnchor(-1);
    scroller.current?.scrollTo({ top: 0 });
  }, [query, sort]);
  const clear = () => {
    setSelection({});
    setAnchor(-1);
  };
  const probe = async () => {
    const ids = chosen.length > 0 ? chosen : model[active] ? [model[active].id] : [];
    if (ids.length > 0) await probeAll(ids);
  };

  useTableKeys({
    move: (by) => {
      const next = Math.max(0, Math.min(model.length - 1, active + by));
      setActive(next);
      virtualizer.scrollToIndex(next);
    },
    toggle: (range) => select(active, range),
    open: () => {
      const row = model[active];
      if (row) router.push(machineHref(row.id));
    },
    clear: () => (chosen.length > 0 ? clear() : setActive(-1)),
    filter: () => filter.current?.focus(),
    probe: () => void probe(),
    density: () => void setDensity(density === "compact" ? "relaxed" : "compact"),
  });

  const sortBy = (key: string) => {
    const descending = sort === `-${key}` ? false : sort === key ? true : key === "since" || key === "seen";
    void setSort(`${descending ? "-" : ""}${key}`);
  };
  const altClick = (event: MouseEvent, id: string, row: MachineRow) => {
    const info = infoOf(id);
    const value = info.value?.(row) ?? null;
    if (!event.altKey || !info.field || value === null || value === "") return;
    event.preventDefault();
    const added = value === "none" || value === "unknown" ? `${info.field}:${value}` : term(info.field, value);
    void setQuery([query, added].filter((part) => part !== "").join(" "));
  };

  const visible = columnIds.filter((id) => cols.includes(id));
  const width = visible.reduce((sum, id) => sum + columnInfo[id].width, 30);
  const items = virtualizer.getVirtualItems();
  const before = items[0]?.start ?? 0;
  const after = virtualizer.getTotalSize() - (items.at(-1)?.end ?? 0);
  const columnCount = visible.length + 1;
  const allChosen = model.length > 0 && model.every((row) => selection[row.id]);

  return (
    <>
      <div className={styles.tools}>
        <FilterField
          query={query}
          onChange={(next) => void setQuery(next)}
          zone={zone}
          fields={fields}
          inputRef={filter}
        />
        <ColumnsMenu cols={cols} onChange={(next) => void setCols(next)} />
      </div>
      <div className={styles.countline}>
        {counts}
        {chosen.length > 0 ? <span>{formatCount(chosen.length)} selected</span> : null}
        {waiting > 0 ? (
          <button type="button" className={styles.inline} onClick={show} aria-live="polite">
            {formatCount(waiting)} changed, show
          </button>
        ) : null}
        <span className={styles.legend}>Chains: DNS · TCP · CONNECT · TLS · HTTP · auth</span>
      </div>
      {model.length === 0 ? (
        empty
      ) : phone ? (
        <Cards rows={rows} />
      ) : (
        <div className={styles.wrap}>
          <div ref={scroller} className={styles.scroll}>
            <table
              className={styles.table}
              style={{ minWidth: width }}
              aria-rowcount={first.total + 1}
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
                    <Checkbox
                      size="14px"
                      aria-label="Select the rows shown"
                      checked={allChosen}
                      indeterminate={chosen.length > 0 && !allChosen}
                      onChange={() =>
                        setSelection(allChosen ? {} : Object.fromEntries(model.map((row) => [row.id, true as const])))
                      }
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
                  const row = model[item.index];
                  if (!row) return null;
                  return (
                    <tr
                      key={row.id}
                      aria-rowindex={item.index + 2}
                      aria-selected={selection[row.id] === true}
                      data-active={item.index === active}
                      className={changed.has(row.id) ? "changed" : undefined}
                      style={{ height }}
                      onClick={() => setActive(item.index)}
                      onDoubleClick={() => router.push(machineHref(row.id))}
                    >
                      <td className={styles.check}>
                        <Checkbox
                          size="14px"
                          aria-label={`Select ${row.original.view.fullName}`}
                          checked={selection[row.id] === true}
                          onChange={() => {}}
                          onClick={(event) => select(item.index, event.shiftKey)}
                        />
                      </td>
                      {row.getVisibleCells().map((cell) => (
                        <td
                          key={cell.id}
                          className={cell.column.id === "name" ? styles.frozen : undefined}
                          data-align={infoOf(cell.column.id).align}
                          onClickCapture={(event) => altClick(event, cell.column.id, row.original.row)}
                        >
                          <table.FlexRender cell={cell} />
                        </td>
                      ))}
                    </tr>
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
      {page.nextCursor !== null ? (
        <div className={styles.next}>
          <span className="dim">
            {formatCount(page.items.length)} of {formatCount(first.total)} rows shown
          </span>
          <Button onClick={() => void more()} loading={loading}>
            Next {formatCount(Math.min(200, first.total - page.items.length))}
          </Button>
        </div>
      ) : null}
      {chosen.length > 0 ? (
        <div className={styles.bulk} role="toolbar" aria-label="Selected machines">
          <b>{formatCount(chosen.length)} selected</b>
          {chosen.length < first.total && first.total <= selectAllLimit ? (
            <button
              type="button"
              className={styles.inline}
              onClick={async () => {
                const all = await loadAll(query, sort);
                setSelection(Object.fromEntries(all.map((id) => [id, true as const])));
              }}
            >
              Select all {formatCount(first.total)}
            </button>
          ) : null}
          <Button
            variant="filled"
            leftSection={<Icon name="probe" />}
            disabled={chosen.length > probeLimit}
            title={chosen.length > probeLimit ? `At most ${probeLimit} machines are probed at once` : undefined}
            onClick={() => void probe()}
          >
            Probe now
          </Button>
          <CopyButton value={chosenRows.map((row) => row.hostname).join("\n")} label="Copy names" />
          <Button variant="subtle" onClick={clear} rightSection={<kbd>Esc</kbd>}>
            Clear
          </Button>
        </div>
      ) : null}
    </>
  );
}

function ColumnsMenu({ cols, onChange }: { cols: ColumnId[]; onChange: (cols: ColumnId[]) => void }) {
  return (
    <Menu closeOnItemClick={false} position="bottom-end">
      <Menu.Target>
        <Button className={styles.columns ?? ""} rightSection={<Icon name="down" />}>
          Columns · {cols.length} of {columnIds.length}
        </Button>
      </Menu.Target>
      <Menu.Dropdown mah={420} style={{ overflowY: "auto" }}>
        {columnIds.map((id) => (
          <Menu.Item
            key={id}
            role="menuitemcheckbox"
            aria-checked={cols.includes(id)}
            disabled={id === "status" || id === "name"}
            leftSection={<Icon name={cols.includes(id) ? "check" : "right"} size={12} />}
            onClick={() => onChange(columnIds.filter((c) => (c === id ? !cols.includes(c) : cols.includes(c))))}
          >
            {columnInfo[id].title}
          </Menu.Item>
        ))}
      </Menu.Dropdown>
    </Menu>
  );
}

function Cards({ rows }: { rows: TableRow[] }) {
  return (
    <ul className={styles.cards}>
      {rows.map(({ row, view }) => (
        <li key={row.id}>
          <UnstyledButton component={Link} href={machineHref(row.id)} prefetch={false} className={styles.card ?? ""}>
            <span className={styles.cardHead}>
              <StatusLabel status={row.status} />
              <span className="dim">{view.since}</span>
            </span>
            <b className="mono">
              <bdi>{view.name}</bdi>
              {row.simulated ? (
                <>
                  {" "}
                  <Chip>simulated</Chip>
                </>
              ) : null}
            </b>
            {view.cause === "" ? null : <span>{view.cause}</span>}
            <span className={styles.cardChain}>
              <MiniChain letters={row.chainConfigured} />
              <span className="mono dim">{view.route}</span>
            </span>
          </UnstyledButton>
        </li>
      ))}
    </ul>
  );
}

/**
 * Rows as loaded so far. A live update changes values in place; an update that would move rows waits until it is
 * asked for, so that nothing jumps under the pointer.
 */
function useRows(first: RowsPage, query: string, sort: string) {
  const [page, setPage] = useState(first);
  const [pending, setPending] = useState<RowsPage | null>(null);
  const [loading, setLoading] = useState(false);
  const [changed, setChanged] = useState<ReadonlySet<string>>(new Set());
  const seen = useRef(first.asOf);
  // Another question has another answer: nothing of the rows before is kept.
  const question = `${sort} ${query}`;
  const [asked, setAsked] = useState(question);
  if (asked !== question) {
    setAsked(question);
    setPage(first);
    setPending(null);
    setChanged(new Set());
  }

  useEffect(() => {
    if (first.asOf === seen.current) return;
    seen.current = first.asOf;
    setPage((was) => {
      // Nothing is under the pointer yet: the first machines show by themselves.
      if (was.items.length === 0) {
        setPending(null);
        return first;
      }
      const fresh = new Map(first.items.map((row) => [row.id, row]));
      const touched = was.items.filter((row) => fresh.has(row.id) && isChanged(row, fresh.get(row.id) as MachineRow));
      setChanged(new Set(touched.map((row) => row.id)));
      const moved = first.items.filter((row, i) => was.items[i]?.id !== row.id).length;
      setPending(moved > 0 || first.total !== was.total ? first : null);
      return {
        ...was,
        asOf: first.asOf,
        items: was.items.map((row) => fresh.get(row.id) ?? row),
      };
    });
  }, [first]);

  const waiting = pending ? Math.max(1, pending.items.filter((row, i) => page.items[i]?.id !== row.id).length) : 0;
  return {
    page,
    waiting,
    changed,
    loading,
    show: () => {
      if (!pending) return;
      setPage(pending);
      setPending(null);
    },
    more: async () => {
      if (page.nextCursor === null || loading) return;
      setLoading(true);
      try {
        const next = await loadRows(query, sort, page.nextCursor);
        setPage((was) => {
          const have = new Set(was.items.map((row) => row.id));
          return {
            ...was,
            items: [...was.items, ...next.items.filter((row) => !have.has(row.id))],
            nextCursor: next.nextCursor,
          };
        });
      } catch {
        notifications.show({ message: "The next rows could not be read. Those shown are kept." });
      } finally {
        setLoading(false);
      }
    },
  };
}

function isChanged(was: MachineRow, is: MachineRow): boolean {
  return (
    was.status !== is.status ||
    was.verdictConfigured !== is.verdictConfigured ||
    was.chainConfigured !== is.chainConfigured ||
    was.primary?.cause !== is.primary?.cause
  );
}

async function loadRows(query: string, sort: string, cursor: string): Promise<RowsPage> {
  const address = `/machines/rows?${new URLSearchParams({ q: query, sort, cursor })}`;
  const response = await fetch(address);
  if (!response.ok) throw new Error(`GET ${address} answered ${response.status}`);
  return (await response.json()) as RowsPage;
}

async function loadAll(query: string, sort: string): Promise<string[]> {
  const ids: string[] = [];
  let cursor: string | null = "";
  while (cursor !== null) {
    const page: RowsPage = await loadRows(query, sort, cursor);
    ids.push(...page.items.map((row) => row.id));
    cursor = page.nextCursor;
  }
  return ids;
}

/** Asks each machine to probe now, four at a time; the answers come to the page live. */
async function probeAll(ids: string[]): Promise<void> {
  let asked = 0;
  let refused = 0;
  const queue = ids.slice(0, probeLimit);
  const worker = async () => {
    for (let id = queue.pop(); id !== undefined; id = queue.pop()) {
      const response = await fetch(`/api/machines/${id}/check-now`, { method: "POST" }).catch(() => null);
      if (response?.ok) asked++;
      else refused++;
    }
  };
  await Promise.all([worker(), worker(), worker(), worker()]);
  notifications.show({
    message:
      refused === 0
        ? `${formatCount(asked)} asked to probe now. Results appear as they arrive.`
        : `${formatCount(asked)} asked to probe now; ${formatCount(refused)} could not be asked: not connected, or no right to.`,
  });
}
