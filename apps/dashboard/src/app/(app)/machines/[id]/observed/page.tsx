import { getMachine } from "@lynceus/db/machines";
import { observationAt } from "@lynceus/db/observations";
import { safeText } from "@lynceus/protocol/present";
import type { Metadata } from "next";
import { notFound } from "next/navigation";
import { PageHeader } from "../../../../../components/layout/page-header.tsx";
import { StateBox } from "../../../../../components/layout/state-box.tsx";
import { ObservationPanel } from "../../../../../components/machine/observation-panel.tsx";
import { machineHref } from "../../../../../components/machines/links.ts";
import { requireRight } from "../../../../../lib/session.ts";
import { viewerZone } from "../../../../../lib/zone.ts";

export const metadata: Metadata = { title: "Raw observation" };

type Props = { params: Promise<{ id: string }>; searchParams: Promise<Record<string, unknown>> };

/** `?key=probe:…&at=2026-11-24T02:12:00Z`: the observation that a sentence rests on, as the machine sent it. */
export default async function ObservedPage({ params, searchParams }: Props) {
  const { fleet } = await requireRight("read");
  const { id } = await params;
  const search = await searchParams;
  const machine = await getMachine(fleet, id);
  if (machine === null) notFound();
  const key = typeof search.key === "string" ? search.key.slice(0, 256) : "";
  const asked = typeof search.at === "string" ? Date.parse(search.at) : Number.NaN;
  const now = Date.now();
  const at = new Date(Number.isNaN(asked) ? now : asked);
  const observation = await observationAt(fleet, id, key, at);
  return (
    <>
      <PageHeader
        title="Raw observation"
        above={[
          { title: "Machines", href: "/machines" },
          { title: safeText(machine.hostname), href: machineHref(id) },
        ]}
      />
      <h1 className="vh">Raw observation</h1>
      {observation === null ? (
        <StateBox title="This observation is not kept any more.">
          Observations are kept for the time that retention allows; the newest facts stay on the machine's page.
        </StateBox>
      ) : (
        <ObservationPanel facts={observation.facts} observation={observation} now={now} zone={await viewerZone()} />
      )}
    </>
  );
}
