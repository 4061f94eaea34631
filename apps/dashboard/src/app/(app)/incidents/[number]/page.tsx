import { getIncident } from "@lynceus/db/incidents";
import { safeText } from "@lynceus/protocol/present";
import type { Metadata } from "next";
import { notFound } from "next/navigation";
import { cache, Suspense } from "react";
import { PageSkeleton } from "../../../../components/layout/page-skeleton.tsx";
import { incidentNumber } from "../../../../lib/incident-act.ts";
import { requireRight } from "../../../../lib/session.ts";
import { IncidentView } from "./incident-view.tsx";

type Props = { params: Promise<{ number: string }>; searchParams: Promise<Record<string, unknown>> };

const incidentOf = cache(async (text: string) => {
  const number = incidentNumber(text);
  return number === null ? null : getIncident((await requireRight("read")).fleet, number);
});

export async function generateMetadata({ params }: Props): Promise<Metadata> {
  await requireRight("read");
  const incident = await incidentOf((await params).number);
  return { title: incident === null ? "Incident" : `${incident.number}: ${safeText(incident.title, 80)}` };
}

export default async function IncidentPage({ params, searchParams }: Props) {
  await requireRight("read");
  const incident = await incidentOf((await params).number);
  if (incident === null) notFound();
  return (
    <Suspense fallback={<PageSkeleton />}>
      <IncidentView number={incident.number} search={await searchParams} />
    </Suspense>
  );
}
