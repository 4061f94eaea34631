import type { Metadata } from "next";
import { MachinesScreen } from "../../../../components/machines/screen.tsx";
import { requireRight } from "../../../../lib/session.ts";

export const metadata: Metadata = { title: "Machines" };

export default async function MachinesPage({ searchParams }: { searchParams: Promise<Record<string, unknown>> }) {
  return <MachinesScreen user={await requireRight("read")} params={await searchParams} view={null} />;
}
