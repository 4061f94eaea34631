import { redirect } from "next/navigation";
import { requireRight } from "../../../../lib/session.ts";

/** What failing machines share stands on each incident's page: one cause, one incident. This address is kept for links. */
export default async function CausesPage() {
  await requireRight("read");
  redirect("/incidents");
}
