import { allows, type Right, refusal } from "@lynceus/protocol/access";
import { apiError } from "./api-error.ts";
import { isSameOrigin } from "./same-origin.ts";
import { type SessionUser, userOf } from "./session.ts";

/**
 * Who calls a route handler, or the answer that refuses: 401 without a session, 403 without the right, 403 for a
 * changing request that no page of ours made.
 */
export async function apiUser(request: Request, right: Right): Promise<SessionUser | Response> {
  const reads = request.method === "GET" || request.method === "HEAD";
  if (!reads && !isSameOrigin(request.headers))
    return apiError(403, "CROSS_SITE", "The request did not come from a page of this dashboard, so nothing was done.");
  const user = await userOf(request.headers);
  if (user === null) return apiError(401, "NOT_SIGNED_IN", "No session; sign in at /login first.");
  if (user.must !== null)
    return apiError(
      403,
      "FIRST",
      `This account has to set up its ${user.must.replace("-", " ")} first, at /first/${user.must}.`,
    );
  if (!allows(user.access, right)) return apiError(403, "NO_RIGHT", refusal(user.access, right));
  return user;
}
