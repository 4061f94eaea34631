import { listMachines } from "@lynceus/db/machines";
import { parseFilter } from "@lynceus/protocol/filter";
import { middleCut, safeText } from "@lynceus/protocol/present";
import { apiUser } from "../../../lib/api-user.ts";

/** Most machines the palette shows. */
const most = 8;

/** Machines whose name contains `q` (two letters or more), for the go-to palette. */
export async function GET(request: Request): Promise<Response> {
  const user = await apiUser(request, "read");
  if (user instanceof Response) return user;
  const text = (new URL(request.url).searchParams.get("q") ?? "").trim().slice(0, 100);
  const none = Response.json({ items: [] }, { headers: { "cache-control": "no-store" } });
  if (text.length < 2) return none;
  // Quoted, it is one bare value whatever is in it: a part of the name.
  const { terms, errors } = parseFilter(`"${text.replace(/["\\]/g, "\\$&")}"`, { now: Date.now() });
  if (errors.length > 0 || terms.length === 0) return none;
  const page = await listMachines(user.fleet, { terms, sort: "name", limit: most });
  const items = page.items.map((machine) => ({
    id: machine.id,
    hostname: middleCut(safeText(machine.hostname), 48),
    status: machine.status,
    detail: [machine.site, machine.primary?.cause]
      .filter((part) => part != null)
      .map((part) => safeText(part))
      .join(" · "),
  }));
  return Response.json({ items }, { headers: { "cache-control": "no-store" } });
}
