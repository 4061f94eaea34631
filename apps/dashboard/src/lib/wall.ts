import { verifyApiToken } from "@lynceus/db/api-tokens";
import { type Fleet, fleetOf } from "@lynceus/db/scope";
import { allows, scopeText } from "@lynceus/protocol/access";
import { cookies } from "next/headers";
import { database } from "./db.ts";
import { environment } from "./env.ts";
import { currentUser } from "./session.ts";

/*
 * Who stands before the wallboard: a screen that was opened with a token of the scope `wall`, or somebody signed in. The
 * token lies in a cookie of the wallboard's own pages, so that it stands in no address, and opens nothing else.
 */

const cookieName = "lynceus.wall";
/** A screen is set up once: as long as browsers keep a cookie. The token's own end counts before. */
const keptSeconds = 400 * 86_400;

export interface WallViewer {
  readonly fleet: Fleet;
  /** "Whole fleet", "Site Bern". */
  readonly sees: string;
}

/** The part of the fleet that a token opens the wallboard for; null where it does not. */
export async function wallOf(secret: string | undefined): Promise<WallViewer | null> {
  if (!secret) return null;
  const token = await verifyApiToken(database(), secret, new Date());
  return token?.scopes.includes("wall") ? viewer(fleetOf(database(), token.scope)) : null;
}

/** Who looks at this request's wallboard; null: nobody who may. */
export async function wallViewer(): Promise<WallViewer | null> {
  const held = await wallOf((await cookies()).get(cookieName)?.value);
  if (held !== null) return held;
  const user = await currentUser();
  return user !== null && user.must === null && allows(user.access, "read") ? viewer(user.fleet) : null;
}

function viewer(fleet: Fleet): WallViewer {
  return {
    fleet,
    sees: scopeText(fleet.scope)
      .replace(/^the w/, "W")
      .replace(/^[a-z]/, (c) => c.toUpperCase()),
  };
}

/** The cookie that keeps a token for this screen. */
export function wallCookie(secret: string): string {
  const secure = environment().secureCookies ? "; Secure" : "";
  return `${cookieName}=${encodeURIComponent(secret)}; Path=/wall; Max-Age=${keptSeconds}; HttpOnly; SameSite=Lax${secure}`;
}
