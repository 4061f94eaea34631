import { parseSetCookieHeader } from "better-auth/cookies";
import { cookies } from "next/headers";

/** Gives the browser the cookies of an answer of the auth library, from within a server action. */
export async function keepCookies(answer: Response): Promise<void> {
  const jar = await cookies();
  for (const header of answer.headers.getSetCookie())
    for (const [name, { value, ...attributes }] of parseSetCookieHeader(header))
      jar.set(name, decodeURIComponent(value), {
        httpOnly: true,
        path: "/",
        sameSite: "lax",
        secure: attributes.secure === true,
        ...(attributes["max-age"] === undefined ? {} : { maxAge: Number(attributes["max-age"]) }),
      });
}
