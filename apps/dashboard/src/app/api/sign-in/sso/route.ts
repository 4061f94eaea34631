import * as z from "zod";
import { database } from "../../../../lib/db.ts";
import { environment } from "../../../../lib/env.ts";
import { nextPath } from "../../../../lib/next-path.ts";
import { isSameOrigin } from "../../../../lib/same-origin.ts";
import { seeOther } from "../../../../lib/see-other.ts";
import { continuePage } from "../../../../lib/sign-on/continue-page.ts";
import { ProviderError } from "../../../../lib/sign-on/discovery.ts";
import { providerId, signOnAuth } from "../../../../lib/sign-on/provider.ts";
import { readSignOn } from "../../../../lib/sign-on/settings.ts";

/** Begins a single sign-on: notes where to return to, and sends the browser to the provider. */
export async function POST(request: Request): Promise<Response> {
  if (!isSameOrigin(request.headers)) return seeOther("/login?error=origin");
  const form = await request.formData().catch(() => null);
  const next = nextPath(form?.get("next"));
  const settings = await readSignOn(database());
  if (!settings?.enabled) return seeOther("/login?error=sso-off");
  const { publicUrl } = environment();
  const headers = new Headers({ "content-type": "application/json", origin: publicUrl.origin });
  const forwarded = request.headers.get("x-forwarded-for");
  if (forwarded !== null) headers.set("x-forwarded-for", forwarded);
  try {
    const answer = await (await signOnAuth(settings)).handler(
      new Request(new URL("/api/auth/sign-in/social", publicUrl), {
        method: "POST",
        headers,
        body: JSON.stringify({
          provider: providerId,
          callbackURL: next,
          errorCallbackURL: "/login",
          disableRedirect: true,
        }),
      }),
    );
    if (answer.status === 429) return seeOther("/login?error=wait");
    const found = z.object({ url: z.url() }).safeParse(await answer.json().catch(() => null));
    if (!answer.ok || !found.success) return seeOther("/login?error=sso-failed");
    return continuePage(found.data.url, answer.headers.getSetCookie());
  } catch (error) {
    if (!(error instanceof ProviderError)) throw error;
    console.error(`single sign-on: ${error.message}`);
    return seeOther("/login?error=sso-down");
  }
}
