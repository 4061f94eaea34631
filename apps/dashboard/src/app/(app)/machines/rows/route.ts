import { listMachines } from "@lynceus/db/machines";
import { mostRows, readRequest } from "../../../../components/machines/query.ts";
import { apiError } from "../../../../lib/api-error.ts";
import { apiUser } from "../../../../lib/api-user.ts";
import { viewerZone } from "../../../../lib/zone.ts";

/**
 * Rows of the machines table from a place on: `?q=&sort=&skip=&limit=&total=`. `total`, how many match as far as the page
 * knows, decides only how they are looked for; it is given back as it came.
 */
export async function GET(request: Request): Promise<Response> {
  const user = await apiUser(request, "read");
  if (user instanceof Response) return user;
  const params = Object.fromEntries(new URL(request.url).searchParams);
  const whole = (text: string | undefined, most: number) =>
    text !== undefined && /^\d{1,9}$/.test(text) ? Math.min(Number(text), most) : null;
  const skip = whole(params.skip ?? "0", 10_000_000);
  const limit = whole(params.limit ?? "100", mostRows);
  if (skip === null || limit === null || limit === 0)
    return apiError(
      400,
      "BAD_PLACE",
      `skip and limit are whole numbers, limit 1 to ${mostRows}; such as skip=400&limit=100`,
    );
  const total = whole(params.total, 2_000_000_000);
  const { terms, sort } = readRequest(params, { now: Date.now(), zone: await viewerZone() });
  const page = await listMachines(user.fleet, { terms, sort, skip, limit, ...(total === null ? {} : { total }) });
  return Response.json(
    { items: page.items, total: page.total, asOf: page.asOf },
    { headers: { "cache-control": "no-store" } },
  );
}
