import { getView } from "@lynceus/db/saved-views";
import { safeText } from "@lynceus/protocol/present";
import type { Metadata } from "next";
import { notFound } from "next/navigation";
import { cache, Suspense } from "react";
import { PageSkeleton } from "../../../../../components/layout/page-skeleton.tsx";
import { MachinesScreen } from "../../../../../components/machines/screen.tsx";
import { requireRight } from "../../../../../lib/session.ts";

type Props = { params: Promise<{ slug: string }>; searchParams: Promise<Record<string, unknown>> };

const viewOf = cache(async (slug: string) => {
  const { fleet } = await requireRight("read");
  return getView(fleet, decodeURIComponent(slug));
});

export async function generateMetadata({ params }: Props): Promise<Metadata> {
  return { title: safeText((await viewOf((await params).slug))?.name ?? "View") };
}

/** The list as a view of the team has it; what the address says beside goes before. */
export default async function ViewPage({ params, searchParams }: Props) {
  const user = await requireRight("read");
  const view = await viewOf((await params).slug);
  if (view === null) notFound();
  return (
    <Suspense fallback={<PageSkeleton />}>
      <MachinesScreen user={user} params={await searchParams} view={view} />
    </Suspense>
  );
}
