import { noteSignIn } from "@lynceus/db/users";
import { attempts } from "../../../lib/attempts.ts";
import { backOff } from "../../../lib/back-off.ts";
import { database } from "../../../lib/db.ts";
import { nextPath } from "../../../lib/next-path.ts";
import { isSameOrigin } from "../../../lib/same-origin.ts";
import { seeOther } from "../../../lib/see-other.ts";
import { signIn } from "../../../lib/sign-in.ts";

/**
 * Wrong passwords slow one account down, a minute at most, so that nobody keeps its owner out by guessing; sixty of them
 * for all accounts make the next wait: hashing stays cheap for us.
 */
const perAccount = backOff({ now: Date.now, free: 5, firstMs: 1_000, longestMs: 60_000, forgetMs: 60 * 60_000 });
const forAll = attempts({ now: Date.now, most: 60, windowMs: 60_000 });

/** Signs in by a form post (it needs no script) and returns to where the person was. */
export async function POST(request: Request): Promise<Response> {
  if (!isSameOrigin(request.headers)) return seeOther("/login?error=origin");
  const form = await request.formData().catch(() => null);
  const email = field(form, "email").trim().toLowerCase();
  const password = field(form, "password");
  const next = nextPath(form?.get("next"));
  const again = (error: string) =>
    seeOther(`/login?${new URLSearchParams({ error, ...(next === "/" ? {} : { next }) })}`);
  if (email === "" || password === "" || email.length > 320 || password.length > 1024) return again("wrong");
  if (perAccount.wait(email) > 0 || forAll.wait("all") > 0) return again("wait");

  const done = await signIn(request.headers, { email, password });
  if (done.kind === "wrong") {
    perAccount.failed(email);
    forAll.failed("all");
  }
  if (done.kind === "wrong" || done.kind === "wait" || done.kind === "failed") return again(done.kind);
  perAccount.succeeded(email);
  const cookies = done.response.headers.getSetCookie();
  if (done.kind === "code")
    return seeOther(next === "/" ? "/login/code" : `/login/code?${new URLSearchParams({ next })}`, cookies);
  await noteSignIn(database(), done.userId, "password", new Date());
  return seeOther(next, cookies);
}

const field = (form: FormData | null, name: string): string => {
  const value = form?.get(name);
  return typeof value === "string" ? value : "";
};
