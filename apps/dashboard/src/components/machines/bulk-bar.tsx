"use client";

import { formatCount } from "@lynceus/protocol/present";
import { Button, Menu } from "@mantine/core";
import dynamic from "next/dynamic";
import { useState } from "react";
import type { BulkKind } from "../../lib/bulk-input.ts";
import { CopyButton } from "../copy-button.tsx";
import { Icon } from "../icon.tsx";
import styles from "./machines.module.css";
import { type Chosen, countOf } from "./selection.ts";

/** Dialogs with their fields are loaded when somebody opens one. */
const BulkDialog = dynamic(() => import("./bulk-dialog.tsx").then((file) => file.BulkDialog), { ssr: false });

/** Acts that somebody may ask for. */
export interface May {
  operate: boolean;
  place: boolean;
  administer: boolean;
}

/** What can be done with the machines that are chosen. */
export function BulkBar(props: {
  chosen: Chosen;
  /** All that match: offered as an act of its own. */
  total: number;
  may: May;
  onAll: () => void;
  onClear: () => void;
  /** Somebody asked to probe them. */
  asked: BulkKind | null;
  onAsk: (kind: BulkKind | null) => void;
  onProbing: (verification: string) => void;
  exportForm: (format: "csv" | "json") => void;
}) {
  const { chosen, total, may, onAll, onClear, asked, onAsk, onProbing, exportForm } = props;
  const count = countOf(chosen);
  const [used, setUsed] = useState(false);
  if (asked !== null && !used) setUsed(true);
  const names = chosen.kind === "rows" ? [...chosen.rows.values()].join("\n") : null;
  return (
    <>
      <div className={styles.bulk} role="toolbar" aria-label="Selected machines">
        <b>
          {chosen.kind === "all" ? "All " : ""}
          {formatCount(count)} selected
        </b>
        {chosen.kind === "rows" && count < total ? (
          <button type="button" className={styles.inline} onClick={onAll}>
            Select all {formatCount(total)}
          </button>
        ) : null}
        {may.operate ? (
          <Button variant="filled" leftSection={<Icon name="probe" />} onClick={() => onAsk("probe")}>
            Probe now
          </Button>
        ) : null}
        {may.place ? (
          <>
            <Button onClick={() => onAsk("tag")}>Tags…</Button>
            <Button onClick={() => onAsk("site")}>Site…</Button>
          </>
        ) : null}
        <Menu position="top-end">
          <Menu.Target>
            <Button rightSection={<Icon name="down" />}>More</Button>
          </Menu.Target>
          <Menu.Dropdown>
            <Menu.Item onClick={() => exportForm("csv")}>Export CSV</Menu.Item>
            <Menu.Item onClick={() => exportForm("json")}>Export JSON</Menu.Item>
            {may.administer ? (
              <>
                <Menu.Divider />
                <Menu.Item onClick={() => onAsk("revoke")}>Revoke…</Menu.Item>
                <Menu.Item onClick={() => onAsk("retire")}>Retire…</Menu.Item>
              </>
            ) : null}
          </Menu.Dropdown>
        </Menu>
        {names === null ? null : <CopyButton value={names} label="Copy names" />}
        <Button variant="subtle" onClick={onClear} rightSection={<kbd>Esc</kbd>}>
          Clear
        </Button>
      </div>
      {used ? (
        <BulkDialog kind={asked} chosen={chosen} onClose={() => onAsk(null)} onDone={onClear} onProbing={onProbing} />
      ) : null}
    </>
  );
}
