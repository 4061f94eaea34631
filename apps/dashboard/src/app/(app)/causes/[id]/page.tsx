import { getCause } from "@lynceus/db/causes";
import type { Metadata } from "next";
import { notFound } from "next/navigation";
import { cache, Suspense } from "react";
import { subjectOf } from "../../../../components/causes/words.ts";
import { PageSkeleton } from "../../../../components/layout/page-skeleton.tsx";
import { database } from "../../../../lib/db.ts";
import { requireUser } from "../../../../lib/session.ts";
import { CauseView } from "./cause-view.tsx";

type Props = { params: Promise<{ id: string }> };

const causeOf = cache((id: string) => getCause(database(), id));

export async function generateMetadata({ params }: Props): Promise<Metadata> {
  await requireUser();
  const cause = await causeOf((await params).id);
  return { title: cause === null ? "Cause" : subjectOf(cause) };
}

export default async function CausePage({ params }: Props) {
  await requireUser();
  const { id } = await params;
  if ((await causeOf(id)) === null) notFound();
  return (
    <Suspense fallback={<PageSkeleton />}>
      <CauseView id={id} />
    </Suspense>
  );
}
