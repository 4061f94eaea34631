"use client";

import dynamic from "next/dynamic";
import type { PieceKind } from "../../lib/alerting/pieces.ts";
import { Skeleton } from "../layout/skeleton.tsx";
import type { Choices } from "./piece-fields.tsx";
import type { SecretField } from "./secret-fields.tsx";

export interface PieceFormProps {
  kind: PieceKind;
  /** "": a new one. */
  id: string;
  /** The version that `value` is of. */
  version: number;
  value: unknown;
  choices: Choices;
  secrets: readonly SecretField[];
  /** Why secrets cannot be set here; null where they can. */
  sealed: string | null;
  /** Whether this person may change it. */
  allowed: boolean;
  done: string | null;
}

/** The editor with its many kinds of fields comes after the page. */
const PieceEditor = dynamic(() => import("./piece-editor.tsx").then((file) => file.PieceEditor), {
  ssr: false,
  loading: () => <Skeleton lines={12} />,
});

/** One piece of the alerting configuration, to be changed. */
export function PieceForm(props: PieceFormProps) {
  return <PieceEditor {...props} />;
}
