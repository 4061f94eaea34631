import { countEach } from "@lynceus/db/machines";
import { listViews } from "@lynceus/db/saved-views";
import { readRequest } from "../../../../components/machines/query.ts";
import { apiUser } from "../../../../lib/api-user.ts";
import { viewerZone } from "../../../../lib/zone.ts";

/** How many machines each of the team's views lists now, by its slug. */
export async function GET(request: Request): Promise<Response> {
  const user = await apiUser(request, "read");
  if (user instanceof Response) return user;
  const views = await listViews(user.fleet);
  const context = { now: Date.now(), zone: await viewerZone() };
  const counts = await countEach(
    user.fleet,
    views.map((view) => readRequest({ q: view.q }, context).terms),
  );
  return Response.json(
    { counts: Object.fromEntries(views.map((view, i) => [view.slug, counts[i] ?? 0])) },
    { headers: { "cache-control": "no-store" } },
  );
}
