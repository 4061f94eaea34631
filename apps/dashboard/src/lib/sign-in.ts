import { auth } from "./auth.ts";
import { environment } from "./env.ts";

/**
 * Asks the auth library to sign in, through its handler: that is where its rate limit counts. Answers with its
 * response, whose cookies are the session.
 */
export function signIn(request: Headers, account: { email: string; password: string }): Promise<Response> {
  const { publicUrl } = environment();
  const headers = new Headers(request);
  headers.set("content-type", "application/json");
  headers.set("origin", publicUrl.origin);
  headers.delete("content-length");
  return auth().handler(
    new Request(new URL("/api/auth/sign-in/email", publicUrl), {
      method: "POST",
      headers,
      body: JSON.stringify(account),
    }),
  );
}
