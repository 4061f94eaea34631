import { apiUser } from "../../../../lib/api-user.ts";
import { silencePreview } from "../../../../lib/silence-preview.ts";

/** What a silence with this filter (`match`) would cover now, of what is seen; nothing is stored. */
export async function GET(request: Request): Promise<Response> {
  const user = await apiUser(request, "read");
  if (user instanceof Response) return user;
  const match = new URL(request.url).searchParams.get("match") ?? "";
  return Response.json(await silencePreview(user.fleet, match), { headers: { "cache-control": "no-store" } });
}
