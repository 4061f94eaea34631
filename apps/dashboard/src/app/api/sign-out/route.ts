import { auth } from "../../../lib/auth.ts";
import { isSameOrigin } from "../../../lib/same-origin.ts";
import { seeOther } from "../../../lib/see-other.ts";

/** Ends the session, here and in the database. */
export async function POST(request: Request): Promise<Response> {
  if (!isSameOrigin(request.headers)) return seeOther("/");
  const answer = await auth().api.signOut({ headers: request.headers, asResponse: true });
  return seeOther("/login", answer.headers.getSetCookie());
}
