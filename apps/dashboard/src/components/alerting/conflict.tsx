"use client";

import { formatTime } from "@lynceus/protocol/present";
import { Button } from "@mantine/core";
import type { PieceState } from "../../app/(app)/(skeleton)/alerting/actions.ts";
import forms from "../forms/forms.module.css";
import styles from "./alerting.module.css";
import { ChangeList } from "./change-list.tsx";

/** Somebody changed the same piece: what they changed, and what to do about it. */
export function Conflict(props: {
  conflict: NonNullable<PieceState["conflict"]>;
  pending: boolean;
  onKeep: () => void;
}) {
  const { conflict, pending, onKeep } = props;
  const { version, by, at: when, changes, gone } = conflict;
  return (
    <div className={styles.conflict} role="alert">
      <p>
        <b>
          <bdi>{by}</bdi> {gone ? "removed this" : "changed this too"}
        </b>{" "}
        {when === null
          ? ""
          : `at ${formatTime(when, { now: Date.now(), zone: Intl.DateTimeFormat().resolvedOptions().timeZone })}`}
        , in version {version}. Nothing of yours is saved yet.
      </p>
      {gone ? null : <ChangeList changes={changes} />}
      <div className={forms.acts}>
        <Button loading={pending} onClick={onKeep}>
          Save mine over it
        </Button>
        <Button variant="subtle" onClick={() => window.location.reload()}>
          Drop mine, load theirs
        </Button>
      </div>
    </div>
  );
}
