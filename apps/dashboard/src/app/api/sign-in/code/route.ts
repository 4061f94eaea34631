import { noteSignIn } from "@lynceus/db/users";
import { attempts } from "../../../../lib/attempts.ts";
import { database } from "../../../../lib/db.ts";
import { nextPath } from "../../../../lib/next-path.ts";
import { isSameOrigin } from "../../../../lib/same-origin.ts";
import { seeOther } from "../../../../lib/see-other.ts";
import { signInWithCode } from "../../../../lib/sign-in.ts";

/** The auth library counts wrong codes of an account and of a sign-in; sixty of all accounts make the next wait. */
const forAll = attempts({ now: Date.now, most: 60, windowMs: 60_000 });

/** The second step of signing in: a code of the app, or one of the recovery codes. */
export async function POST(request: Request): Promise<Response> {
  if (!isSameOrigin(request.headers)) return seeOther("/login?error=origin");
  const form = await request.formData().catch(() => null);
  const given = form?.get("code");
  const code = typeof given === "string" ? given.replace(/\s/g, "") : "";
  const next = nextPath(form?.get("next"));
  const again = (error: string) =>
    seeOther(`/login/code?${new URLSearchParams({ error, ...(next === "/" ? {} : { next }) })}`);
  if (code === "" || code.length > 64) return again("wrong");
  if (forAll.wait("all") > 0) return again("wait");
  const done = await signInWithCode(request.headers, code);
  if (done.kind === "wrong") forAll.failed("all");
  if (done.kind !== "in") return again(done.kind === "code" ? "failed" : done.kind);
  await noteSignIn(database(), done.userId, code.length === 6 ? "second factor" : "recovery code", new Date());
  return seeOther(next, done.response.headers.getSetCookie());
}
