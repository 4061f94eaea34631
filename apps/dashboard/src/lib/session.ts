import { type Fleet, fleetOf } from "@lynceus/db/scope";
import { standingOf } from "@lynceus/db/users";
import { type Access, allows, type Right } from "@lynceus/protocol/access";
import { cookies, headers } from "next/headers";
import { redirect } from "next/navigation";
import { cache } from "react";
import { auth } from "./auth.ts";
import { database } from "./db.ts";
import { isSameOrigin } from "./same-origin.ts";
import { needsSecondFactor, readSignInRules } from "./sign-in-rules.ts";

export interface SessionUser {
  id: string;
  name: string;
  email: string;
  access: Access;
  /** The database as far as this person sees the fleet: what every query about machines takes. */
  fleet: Fleet;
  /** The session itself, not its secret. */
  sessionId: string;
  /** Signs in with a password (and maybe by single sign-on as well). */
  hasPassword: boolean;
  twoFactor: boolean;
  /** What has to be done before anything else. */
  must: "password" | "second-factor" | null;
}

/** Who is signed in on a request with these headers; null when nobody is. Role and scope are as they are at this moment. */
export async function userOf(requestHeaders: Headers): Promise<SessionUser | null> {
  const found = await auth().api.getSession({ headers: requestHeaders });
  if (found === null) return null;
  const { user, session } = found;
  const standing = await standingOf(database(), user.id);
  if (standing === null) return null;
  const { access, hasPassword, twoFactor, passwordIsTemporary } = standing;
  const lacksFactor = hasPassword && !twoFactor && needsSecondFactor(await readSignInRules(database()), access);
  return {
    id: user.id,
    name: user.name,
    email: user.email,
    access,
    fleet: fleetOf(database(), access),
    sessionId: session.id,
    hasPassword,
    twoFactor,
    must: passwordIsTemporary ? "password" : lacksFactor ? "second-factor" : null,
  };
}

/** Who is signed in; asked once a request. */
export const currentUser = cache(async (): Promise<SessionUser | null> => {
  // The cookies as they are now: an act that made a new session draws its page in the same request.
  const present = new Headers(await headers());
  present.set("cookie", (await cookies()).toString());
  return userOf(present);
});

/** The person signed in, also one who has to do something first, else the log-in page, which returns here. */
export async function requireSession(): Promise<SessionUser> {
  const user = await currentUser();
  if (user !== null) return user;
  const path = (await headers()).get("x-lynceus-path") ?? "/";
  redirect(path === "/" ? "/login" : `/login?next=${encodeURIComponent(path)}`);
}

/** The person signed in, whatever they may do, once they have done what they must. */
export async function requireUser(): Promise<SessionUser> {
  const user = await requireSession();
  if (user.must !== null) redirect(`/first/${user.must}`);
  return user;
}

/** The person signed in when they have the right, else the page that says so. What every page asks first. */
export async function requireRight(right: Right): Promise<SessionUser> {
  const user = await requireUser();
  if (!allows(user.access, right)) redirect(`/no-right?of=${right}`);
  return user;
}

/** As `requireRight`, for a form's act: it came from a page of ours. What every server action asks first. */
export async function requireAct(right: Right): Promise<SessionUser> {
  const user = await requireRight(right);
  await requireSameOrigin();
  return user;
}

/** Refuses a form that no page of ours sent. */
export async function requireSameOrigin(): Promise<void> {
  if (!isSameOrigin(await headers())) throw new Error("refused: the form was sent from another site");
}
