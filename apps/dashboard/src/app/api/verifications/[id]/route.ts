import { apiError } from "../../../../lib/api-error.ts";
import { apiUser } from "../../../../lib/api-user.ts";
import { verificationAnswer } from "../../../../lib/verification-answer.ts";

type Context = { params: Promise<{ id: string }> };

/** How a verification stands. */
export async function GET(request: Request, { params }: Context): Promise<Response> {
  const user = await apiUser(request, "read");
  if (user instanceof Response) return user;
  const { id } = await params;
  const answer = await verificationAnswer(user.fleet, id);
  if (answer === null) return apiError(404, "NO_VERIFICATION", `No verification has the id "${id.slice(0, 64)}".`);
  return Response.json(answer, { headers: { "cache-control": "no-store" } });
}
