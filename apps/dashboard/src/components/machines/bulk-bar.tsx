"use client";

import { formatCount } from "@lynceus/protocol/present";
import { Button } from "@mantine/core";
import dynamic from "next/dynamic";
import { useState } from "react";
import type { BulkKind } from "../../lib/bulk-input.ts";
import { CopyButton } from "../copy-button.tsx";
import { Icon } from "../icon.tsx";
import styles from "./machines.module.css";
import { type Chosen, countOf } from "./selection.ts";

/** Dialogs with their fields are loaded when somebody opens one. */
const BulkDialog = dynamic(() => import("./bulk-dialog.tsx").then((file) => file.BulkDialog), { ssr: false });

const BulkMore = dynamic(() => import("./bulk-more.tsx").then((file) => file.BulkMore), {
  ssr: false,
  loading: () => (
    <Button rightSection={<Icon name="down" />} aria-disabled>
      More
    </Button>
  ),
});

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
        <BulkMore may={may} onAsk={onAsk} exportForm={exportForm} />
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
