import { safeText } from "@lynceus/protocol/present";
import Link from "next/link";
import type { ReactNode } from "react";
import type { ListKind } from "../../lib/alerting/pieces.ts";
import { Panel } from "../layout/panel.tsx";

/** The pieces of one kind, and the way to another one for who may add it. */
export function PiecePanel(props: {
  title: string;
  sub: string;
  kind: ListKind;
  /** The words of the way to a new one; null for who may not add any. */
  add: string | null;
  children: ReactNode;
}) {
  const { title, sub, kind, add, children } = props;
  return (
    <Panel
      title={title}
      sub={sub}
      more={
        add === null ? undefined : (
          <Link className="link" href={`/alerting/new/${kind}`}>
            {add}
          </Link>
        )
      }
    >
      {children}
    </Panel>
  );
}

/** A piece by its name, as the link to it. */
export function PieceLink({ kind, piece }: { kind: ListKind; piece: { id: string; name: string } }) {
  return (
    <Link className="link" href={`/alerting/${kind}/${piece.id}`}>
      <b>
        <bdi>{safeText(piece.name)}</bdi>
      </b>
    </Link>
  );
}
