import { CursorError } from "@lynceus/db/cursor";
import { listMachines } from "@lynceus/db/machines";
import { pageSize, readRequest } from "../../../../components/machines/query.ts";
import { apiError } from "../../../../lib/api-error.ts";
import { apiUser } from "../../../../lib/api-user.ts";
import { viewerZone } from "../../../../lib/zone.ts";

/** The next rows of the machines table: `?q=&sort=&cursor=`. */
export async function GET(request: Request): Promise<Response> {
  const user = await apiUser(request, "read");
  if (user instanceof Response) return user;
  const params = Object.fromEntries(new URL(request.url).searchParams);
  const { terms, sort } = readRequest(params, { now: Date.now(), zone: await viewerZone() });
  try {
    const page = await listMachines(user.fleet, { terms, sort, cursor: params.cursor || null, limit: pageSize });
    return Response.json(page, { headers: { "cache-control": "no-store" } });
  } catch (error) {
    if (error instanceof CursorError) return apiError(400, "BAD_CURSOR", error.message);
    throw error;
  }
}
