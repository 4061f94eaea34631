import { getCause } from "@lynceus/db/causes";
import type { Metadata } from "next";
import { notFound } from "next/navigation";
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

export default async function CausePage({ params }: Props) {
  await requireRight("read");
  const { id } = await params;
  if ((await causeOf(id)) === null) notFound();
  return (
    <Suspense fallback={<PageSkeleton />}>
      <CauseView id={id} />
    </Suspense>
  );
}
