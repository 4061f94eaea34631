import { headers } from "next/headers";
import { redirect } from "next/navigation";
import { cache } from "react";
import { auth } from "./auth.ts";
import { allows, parseRole, type Role } from "./roles.ts";

export interface SessionUser {
  id: string;
  name: string;
  email: string;
  role: Role;
  /** The session itself, not its secret. */
  sessionId: string;
}

/** Who is signed in on a request with these headers; null when nobody is. */
export async function userOf(requestHeaders: Headers): Promise<SessionUser | null> {
  const found = await auth().api.getSession({ headers: requestHeaders });
  if (found === null) return null;
  const { user, session } = found;
  return { id: user.id, name: user.name, email: user.email, role: parseRole(user.role), sessionId: session.id };
}

/** Who is signed in; asked once a request. */
export const currentUser = cache(async (): Promise<SessionUser | null> => userOf(await headers()));

/** The person signed in, else the log-in page, which returns here. For pages and server actions. */
export async function requireUser(): Promise<SessionUser> {
  const user = await currentUser();
  if (user !== null) return user;
  const path = (await headers()).get("x-lynceus-path") ?? "/";
  redirect(path === "/" ? "/login" : `/login?next=${encodeURIComponent(path)}`);
}

/** The person signed in when the role suffices, else the page that says so. For pages and server actions. */
export async function requireRole(role: Role): Promise<SessionUser> {
  const user = await requireUser();
  if (!allows(user.role, role)) redirect("/no-right");
  return user;
}
