import { cancelVerification } from "@lynceus/db/verifications";
import { apiError } from "../../../../../lib/api-error.ts";
import { apiUser } from "../../../../../lib/api-user.ts";
import { verificationAnswer } from "../../../../../lib/verification-answer.ts";

type Context = { params: Promise<{ id: string }> };

/** Ends a verification early: nobody more is asked. */
export async function POST(request: Request, { params }: Context): Promise<Response> {
  const user = await apiUser(request, "operate");
  if (user instanceof Response) return user;
  const { id } = await params;
  if (!(await cancelVerification(user.fleet, id, { actor: user.email, now: new Date() })))
    return apiError(404, "NO_VERIFICATION", `No verification that runs has the id "${id.slice(0, 64)}".`);
  return Response.json(await verificationAnswer(user.fleet, id), { headers: { "cache-control": "no-store" } });
}
