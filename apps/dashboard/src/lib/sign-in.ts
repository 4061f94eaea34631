import * as z from "zod";
import { auth } from "./auth.ts";
import { environment } from "./env.ts";

/** What a sign-in ended with. */
export type SignedIn =
  /** The response has the session's cookies. */
  | { kind: "in"; userId: string; response: Response }
  /** The password was right, and a code is needed: the response's cookie says whose. */
  | { kind: "code"; response: Response }
  | { kind: "wrong" }
  | { kind: "wait" }
  | { kind: "failed" };

/** Asks the auth library whether an address and a password are right. */
export const signIn = (request: Headers, account: { email: string; password: string }): Promise<SignedIn> =>
  ask("/api/auth/sign-in/email", request, account);

/** Asks it whether a code of the second factor is right, or one of the recovery codes, for whom the cookie names. */
export const signInWithCode = (request: Headers, code: string): Promise<SignedIn> =>
  /^\d{6}$/.test(code)
    ? ask("/api/auth/two-factor/verify-totp", request, { code })
    : ask("/api/auth/two-factor/verify-backup-code", request, { code });

/** Through its handler: that is where its rate limit counts. */
async function ask(path: string, request: Headers, body: unknown): Promise<SignedIn> {
  const { publicUrl } = environment();
  const headers = new Headers(request);
  headers.set("content-type", "application/json");
  headers.set("origin", publicUrl.origin);
  headers.delete("content-length");
  const response = await auth().handler(
    new Request(new URL(path, publicUrl), { method: "POST", headers, body: JSON.stringify(body) }),
  );
  if (response.status === 429) return { kind: "wait" };
  if (response.status >= 500) return { kind: "failed" };
  if (!response.ok) return { kind: "wrong" };
  const answer = answerSchema.safeParse(await response.json().catch(() => null));
  if (!answer.success) return { kind: "failed" };
  return "user" in answer.data ? { kind: "in", userId: answer.data.user.id, response } : { kind: "code", response };
}

const answerSchema = z.union([
  z.object({ user: z.object({ id: z.string() }) }),
  z.object({ twoFactorRedirect: z.literal(true) }),
]);
