import { findMachines } from "@lynceus/db/machines";
import { toSqlText } from "@lynceus/db/sql-text";
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
  const items = (await findMachines(user.fleet, toSqlText(text), most)).map((machine) => ({
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
