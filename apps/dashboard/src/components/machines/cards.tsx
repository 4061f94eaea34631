"use client";

import { formatCount } from "@lynceus/protocol/present";
import { Button, UnstyledButton } from "@mantine/core";
import Link from "next/link";
import { MiniChain } from "../evidence-chain/mini-chain.tsx";
import { Chip } from "../status/chip.tsx";
import { StatusLabel } from "../status/status-label.tsx";
import type { TableRow } from "./columns.tsx";
import { machineHref } from "./links.ts";
import styles from "./machines.module.css";

/** The list on a phone: state, name, finding, chain. */
export function Cards({ rows, total, onMore }: { rows: TableRow[]; total: number; onMore: () => void }) {
  return (
    <>
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
      {rows.length < total ? (
        <div className={styles.next}>
          <span className="dim">
            {formatCount(rows.length)} of {formatCount(total)} shown
          </span>
          <Button onClick={onMore}>Next {formatCount(Math.min(100, total - rows.length))}</Button>
        </div>
      ) : null}
    </>
  );
}
