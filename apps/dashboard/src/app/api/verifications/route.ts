import { createVerification } from "@lynceus/db/verifications";
import { newVerificationSchema } from "@lynceus/protocol/read-api-tools";
import { readRequest } from "../../../components/machines/query.ts";
import { apiError } from "../../../lib/api-error.ts";
import { apiUser } from "../../../lib/api-user.ts";
import { verificationAnswer } from "../../../lib/verification-answer.ts";

/** Starts to probe a cohort again: 202 with how it stands. The collectors bound what Exchange sees of it. */
export async function POST(request: Request): Promise<Response> {
  const user = await apiUser(request, "operate");
  if (user instanceof Response) return user;
  const parsed = newVerificationSchema.safeParse(await request.json().catch(() => null));
  if (!parsed.success) return apiError(400, "BAD_COHORT", parsed.error.issues[0]?.message ?? "no cohort is given");
  const now = new Date();
  const { terms, problems } = readRequest({ q: parsed.data.q }, { now: now.getTime(), zone: "UTC" });
  if (problems[0] !== undefined) return apiError(400, "BAD_FILTER", problems[0]);
  const made = await createVerification(user.fleet, parsed.data, terms, { actor: user.email, now });
  return Response.json(await verificationAnswer(user.fleet, made.id), {
    status: 202,
    headers: { "cache-control": "no-store" },
  });
}
