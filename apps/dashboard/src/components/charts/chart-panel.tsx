"use client";

import { csvCell } from "@lynceus/protocol/present";
import { type ReactNode, useState } from "react";
import { Panel } from "../layout/panel.tsx";
import styles from "./charts.module.css";

export interface ChartTable {
  columns: string[];
  rows: string[][];
}

/** A chart and, behind "Table", the same figures as a table and as CSV (interface section 8). */
export function ChartPanel({
  title,
  subtitle,
  table,
  name,
  tools,
  children,
}: {
  title: string;
  subtitle: string;
  table: ChartTable;
  /** File name of the CSV, without its end. */
  name: string;
  /** Beside what swaps chart and table. */
  tools?: ReactNode;
  children: ReactNode;
}) {
  const [asTable, setAsTable] = useState(false);
  const csv = [table.columns, ...table.rows].map((row) => row.map(csvCell).join(",")).join("\r\n");
  return (
    <Panel
      title={title}
      sub={subtitle}
      more={
        <span className={styles.tools}>
          {tools}
          <button type="button" className={styles.swap} aria-pressed={asTable} onClick={() => setAsTable(!asTable)}>
            {asTable ? "Chart" : "Table"}
          </button>
        </span>
      }
    >
      {asTable ? (
        <>
          {/* biome-ignore lint/a11y/noNoninteractiveTabindex: a region that scrolls must take the keyboard. */}
          <section className={styles.tablewrap} tabIndex={0} aria-label={`${title}, figures`}>
            <table className={styles.table}>
              <thead>
                <tr>
                  {table.columns.map((column) => (
                    <th key={column} scope="col">
                      {column}
                    </th>
                  ))}
                </tr>
              </thead>
              <tbody>
                {table.rows.map((row) => (
                  <tr key={row[0]}>
                    {row.map((cell, i) => (
                      <td key={table.columns[i]}>{cell}</td>
                    ))}
                  </tr>
                ))}
              </tbody>
            </table>
          </section>
          <p className={styles.csv}>
            <a download={`${name}.csv`} href={`data:text/csv;charset=utf-8,${encodeURIComponent(csv)}`}>
              CSV
            </a>
          </p>
        </>
      ) : (
        <div className={styles.body}>{children}</div>
      )}
    </Panel>
  );
}
