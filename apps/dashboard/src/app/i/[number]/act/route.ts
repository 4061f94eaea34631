import { getIncident } from "@lynceus/db/incidents";
import { apiError } from "../../../../lib/api-error.ts";
import { formText } from "../../../../lib/form-text.ts";
import { incidentNumber, isIncidentAct, performIncidentAct } from "../../../../lib/incident-act.ts";
import { judgeLink, visitorOf } from "../../../../lib/presser.ts";
import { isSameOrigin } from "../../../../lib/same-origin.ts";
import { seeOther } from "../../../../lib/see-other.ts";
import { userOf } from "../../../../lib/session.ts";
import { alerting } from "../../../../lib/told.ts";

type Context = { params: Promise<{ number: string }> };

/** What a link's holder may do: what one does at night, and not what ends an incident. */
const ofLinks = new Set(["acknowledge", "take-over", "release", "hand-over", "tell"]);

/**
 * The buttons of the short page, as plain forms: acknowledge, take over, release, hand over, tell. Key is a session, or the
 * notice's signed link (`k`). Answers by leading back to the page; asked for JSON, by what was done.
 */
export async function POST(request: Request, { params }: Context): Promise<Response> {
  const asJson = request.headers.get("accept")?.includes("application/json") ?? false;
  const number = incidentNumber((await params).number);
  const form = await request.formData().catch(() => new FormData());
  const token = formText(form, "k", 512);
  const act = formText(form, "act", 32);
  const back = (said: string) =>
    seeOther(`/i/${number}?${new URLSearchParams({ ...(token === "" ? {} : { k: token }), said })}`);

  if (!isSameOrigin(request.headers))
    return apiError(403, "CROSS_SITE", "The request did not come from a page of this dashboard, so nothing was done.");
  const now = new Date();
  const { config } = await alerting();
  const link = number === null ? null : judgeLink(token, number, now.getTime());
  const visitor = visitorOf(await userOf(request.headers), link, config);
  if (visitor === null) {
    // Signing in returns to the page, where the same button stands.
    return asJson || number === null
      ? apiError(401, "NOT_SIGNED_IN", "No session, and no link that holds.")
      : seeOther(`/login?next=${encodeURIComponent(`/i/${number}?said=again`)}`);
  }
  if (visitor.presser === null) return apiError(403, "NO_RIGHT", "Your role may not act on incidents.");
  if (number === null) return apiError(404, "NO_INCIDENT", "This is no number of an incident; use e.g. 1182.");
  if (!isIncidentAct(act) || !ofLinks.has(act))
    return apiError(400, "BAD_ACT", `"${act.slice(0, 32)}" is no act of this page; use e.g. acknowledge.`);
  // A link takes back its own person's acknowledgement, and nobody else's.
  if (act === "release" && visitor.presser.via === "link") {
    const owner = (await getIncident(visitor.fleet, number))?.acknowledged?.by;
    if (owner !== visitor.presser.name)
      return asJson ? apiError(409, "REFUSED", "Somebody else has it.") : back("refused");
  }
  const refused = await performIncidentAct(visitor.presser, number, act, form, now);
  if (asJson) return refused === null ? Response.json({ done: act }) : apiError(409, "REFUSED", refused);
  return back(refused === null ? act : "refused");
}
