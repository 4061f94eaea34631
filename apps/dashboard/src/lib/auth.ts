import { standingOf } from "@lynceus/db/users";
import { type BetterAuthOptions, betterAuth } from "better-auth";
import { prismaAdapter } from "better-auth/adapters/prisma";
import { APIError } from "better-auth/api";
import { twoFactor } from "better-auth/plugins/two-factor";
import { database } from "./db.ts";
import { environment } from "./env.ts";
import { passwordLength } from "./password-length.ts";

/** Endpoints of the library that this product has no use for. */
const unused = [
  "/sign-up/email",
  "/update-user",
  "/delete-user",
  "/change-email",
  "/link-social",
  "/unlink-account",
  "/two-factor/send-otp",
  "/two-factor/verify-otp",
];

/** What every instance of the auth library has: passwords, sessions, a second factor. */
export function authOptions() {
  const env = environment();
  return {
    appName: "Lynceus",
    baseURL: env.publicUrl.origin,
    basePath: "/api/auth",
    secret: env.authSecret,
    database: prismaAdapter(database().prisma, { provider: "postgresql" }),
    telemetry: { enabled: false },
    trustedOrigins: [env.publicUrl.origin],
    emailAndPassword: {
      enabled: true,
      // Accounts are made by the one-time link, by an admin, or by single sign-on.
      disableSignUp: true,
      minPasswordLength: passwordLength.least,
      maxPasswordLength: passwordLength.most,
      revokeSessionsOnPasswordReset: true,
    },
    // No cached copy in the cookie: a session that was ended is refused at the next request.
    session: { expiresIn: 60 * 60 * 24 * 7, updateAge: 60 * 60 * 24, cookieCache: { enabled: false } },
    // By address of the browser, which a proxy may hide: the sign-in itself also counts by account, and for all.
    rateLimit: {
      enabled: true,
      window: 60,
      max: 100,
      customRules: { "/sign-in/email": { window: 60, max: 20 }, "/sign-in/social": { window: 60, max: 30 } },
    },
    advanced: { cookiePrefix: "lynceus", useSecureCookies: env.secureCookies },
    databaseHooks: {
      session: {
        create: {
          // However somebody proved who they are: a disabled account gets no session.
          before: async ({ userId }: { userId: string }) => {
            if ((await standingOf(database(), userId)) === null)
              throw new APIError("UNAUTHORIZED", { code: "DISABLED", message: "the account is disabled" });
          },
        },
      },
    },
    // A wrong password is no news for the log.
    logger: { level: "error" },
  } satisfies BetterAuthOptions;
}

function makeAuth() {
  return betterAuth({
    ...authOptions(),
    disabledPaths: [...unused, "/sign-in/social"],
    plugins: [twoFactor({ issuer: "Lynceus", totpOptions: { digits: 6, period: 30 } })],
  });
}

export type Auth = ReturnType<typeof makeAuth>;

const kept = globalThis as typeof globalThis & { lynceusAuth?: Auth };

/** Log-in, sessions and accounts. Made at the first request, since it needs the environment. */
export function auth(): Auth {
  kept.lynceusAuth ??= makeAuth();
  return kept.lynceusAuth;
}
