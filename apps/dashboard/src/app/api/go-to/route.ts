import { apiUser } from "../../../lib/api-user.ts";
import { goTo } from "../../../lib/go-to.ts";

/** Machines, incidents and patterns that are called like `q` (two letters or more), for the go-to palette. */
export async function GET(request: Request): Promise<Response> {
  const user = await apiUser(request, "read");
  if (user instanceof Response) return user;
  const found = await goTo(user.fleet, new URL(request.url).searchParams.get("q") ?? "");
  return Response.json(found, { headers: { "cache-control": "no-store" } });
}
