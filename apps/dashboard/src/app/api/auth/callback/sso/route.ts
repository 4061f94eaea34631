import { noteSignIn, setAccess, userOfAccount } from "@lynceus/db/users";
import { database } from "../../../../../lib/db.ts";
import { environment } from "../../../../../lib/env.ts";
import { nextPath } from "../../../../../lib/next-path.ts";
import { seeOther } from "../../../../../lib/see-other.ts";
import { ProviderError } from "../../../../../lib/sign-on/discovery.ts";
import { providerId, signOnAuth, whileArriving } from "../../../../../lib/sign-on/provider.ts";
import { readSignOn } from "../../../../../lib/sign-on/settings.ts";

/** The library's reasons, as the log-in page knows them. */
const reasons: Record<string, string> = {
  no_group: "sso-group",
  account_not_linked: "sso-linked",
  email_not_found: "sso-email",
  access_denied: "sso-refused",
  disabled: "sso-disabled",
};

/**
 * Where the provider sends people back to. What their groups give is applied before their browser has the session, so that
 * nobody comes in with what they had before.
 */
export async function GET(request: Request): Promise<Response> {
  const settings = await readSignOn(database());
  if (!settings?.enabled) return seeOther("/login?error=sso-off");
  const { publicUrl } = environment();
  const asked = new URL(request.url);
  // The address that it was called by outside, whatever the server in between calls it.
  const url = new URL(asked.pathname + asked.search, publicUrl);
  try {
    const library = await signOnAuth(settings);
    const { result, arrival } = await whileArriving(() =>
      library.handler(new Request(url, { headers: request.headers })),
    );
    const location = new URL(result.headers.get("location") ?? "/login?error=sso-failed", publicUrl);
    const error = location.searchParams.get("error");
    if (error !== null || result.status !== 302)
      return seeOther(`/login?error=${reasons[(error ?? "").toLowerCase()] ?? "sso-failed"}`);
    const { subject, access } = arrival;
    const user = subject === null ? null : await userOfAccount(database(), providerId, subject);
    if (user === null || access === null) return seeOther("/login?error=sso-failed");
    await setAccess(database(), user.id, access, `single sign-on ${settings.name}`);
    await noteSignIn(database(), user.id, "single sign-on", new Date());
    return seeOther(nextPath(location.pathname + location.search + location.hash), result.headers.getSetCookie());
  } catch (error) {
    if (!(error instanceof ProviderError)) throw error;
    console.error(`single sign-on: ${error.message}`);
    return seeOther("/login?error=sso-down");
  }
}
