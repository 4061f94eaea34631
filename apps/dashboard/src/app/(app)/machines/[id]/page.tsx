import { machineName } from "@lynceus/db/machines";
import { safeText } from "@lynceus/protocol/present";
import type { Metadata } from "next";
import { notFound } from "next/navigation";
import { cache, Suspense } from "react";
import { PageSkeleton } from "../../../../components/layout/page-skeleton.tsx";
import { requireRight } from "../../../../lib/session.ts";
import { MachineView } from "./machine-view.tsx";

type Props = { params: Promise<{ id: string }>; searchParams: Promise<Record<string, unknown>> };

const nameOf = cache(async (id: string) => machineName((await requireRight("read")).fleet, id));

export async function generateMetadata({ params }: Props): Promise<Metadata> {
  await requireRight("read");
  const name = await nameOf((await params).id);
  return { title: name === null ? "Machine" : safeText(name) };
}

/** The name first: an unknown machine answers 404, which it could not once a part of the page was sent. */
export default async function MachinePage({ params, searchParams }: Props) {
  await requireRight("read");
  const { id } = await params;
  if ((await nameOf(id)) === null) notFound();
  return (
    <Suspense fallback={<PageSkeleton />}>
      <MachineView id={id} search={await searchParams} />
    </Suspense>
  );
}
