import { getMachine } from "@lynceus/db/machines";
import { getObservation } from "@lynceus/db/observations";
import { safeText } from "@lynceus/protocol/present";
import type { Metadata } from "next";
import { notFound } from "next/navigation";
import { PageHeader } from "../../../../../../components/layout/page-header.tsx";
import { StateBox } from "../../../../../../components/layout/state-box.tsx";
import { ObservationPanel } from "../../../../../../components/machine/observation-panel.tsx";
import { machineHref } from "../../../../../../components/machines/links.ts";
import { requireRight } from "../../../../../../lib/session.ts";
import { viewerZone } from "../../../../../../lib/zone.ts";

export const metadata: Metadata = { title: "Raw probe" };

/** One observation as the machine sent it. */
export default async function RawProbePage({ params }: { params: Promise<{ id: string; seq: string }> }) {
  const { fleet } = await requireRight("read");
  const { id, seq } = await params;
  const zone = await viewerZone();
  const machine = await getMachine(fleet, id);
  if (machine === null || !/^\d{1,15}$/.test(seq)) notFound();
  const observation = await getObservation(fleet, id, { seq: Number(seq) });
  // Facts that did not change since are confirmed without a row of their own: the state holds them.
  const slot = Object.values(machine.facts.probes).find((probe) => probe.seq === Number(seq)) ?? null;
  const facts = observation?.facts ?? slot?.facts ?? null;
  const now = Date.now();
  return (
    <>
      <PageHeader
        title={`Raw probe ${seq}`}
        above={[
          { title: "Machines", href: "/machines" },
          { title: safeText(machine.hostname), href: machineHref(id) },
        ]}
      />
      <h1 className="vh">Raw probe {seq}</h1>
      {facts === null ? (
        <StateBox title={`Probe ${seq} is not kept any more.`}>
          Observations are kept for the time that retention allows; the newest facts stay on the machine's page.
        </StateBox>
      ) : (
        <ObservationPanel facts={facts} observation={observation} now={now} zone={zone} />
      )}
    </>
  );
}
