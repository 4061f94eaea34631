import { getCause } from "@lynceus/db/causes";
import { incidentOfCause } from "@lynceus/db/incident-page";
import type { Metadata } from "next";
import { notFound, redirect } from "next/navigation";
import { cache, Suspense } from "react";
import { subjectOf } from "../../../../components/causes/words.ts";
import { PageSkeleton } from "../../../../components/layout/page-skeleton.tsx";
import { requireRight } from "../../../../lib/session.ts";
import { CauseView } from "./cause-view.tsx";

type Props = { params: Promise<{ id: string }> };

const causeOf = cache(async (id: string) => getCause((await requireRight("read")).fleet, id));

export async function generateMetadata({ params }: Props): Promise<Metadata> {
  await requireRight("read");
  const cause = await causeOf((await params).id);
  return { title: cause === null ? "Cause" : subjectOf(cause) };
}

/** A cause is an incident, and leads there; one that never was, since too few machines shared it, has this page. */
export default async function CausePage({ params }: Props) {
  const { fleet } = await requireRight("read");
  const { id } = await params;
  const incident = await incidentOfCause(fleet, id);
  if (incident !== null) redirect(`/incidents/${incident}`);
  if ((await causeOf(id)) === null) notFound();
  return (
    <Suspense fallback={<PageSkeleton />}>
      <CauseView id={id} />
    </Suspense>
  );
}
