import { apiError } from "../../../lib/api-error.ts";
import { wallViewer } from "../../../lib/wall.ts";

export const dynamic = "force-dynamic";

/** A screen asks here before it reads the wallboard again: a page that fails to load would leave it blank. */
export async function GET(): Promise<Response> {
  return (await wallViewer()) === null
    ? apiError(401, "NO_TOKEN", "This screen has no token for the wallboard.")
    : new Response(null, { status: 204, headers: { "cache-control": "no-store" } });
}
