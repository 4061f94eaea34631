import { betterAuth } from "better-auth";
import { prismaAdapter } from "better-auth/adapters/prisma";
import { database } from "./db.ts";
import { environment } from "./env.ts";
import { passwordLength } from "./password-length.ts";

function makeAuth() {
  const env = environment();
  return betterAuth({
    appName: "Lynceus",
    baseURL: env.publicUrl.origin,
    basePath: "/api/auth",
    secret: env.authSecret,
    database: prismaAdapter(database().prisma, { provider: "postgresql" }),
    telemetry: { enabled: false },
    trustedOrigins: [env.publicUrl.origin],
    emailAndPassword: {
      enabled: true,
      // Accounts are made by the one-time link, or by an admin.
      disableSignUp: true,
      minPasswordLength: passwordLength.least,
      maxPasswordLength: passwordLength.most,
      revokeSessionsOnPasswordReset: true,
    },
    user: { additionalFields: { role: { type: "string", input: false, defaultValue: "viewer" } } },
    // No cached copy in the cookie: a session that was ended is refused at the next request.
    session: { expiresIn: 60 * 60 * 24 * 7, updateAge: 60 * 60 * 24, cookieCache: { enabled: false } },
    rateLimit: { enabled: true, window: 60, max: 100, customRules: { "/sign-in/email": { window: 60, max: 20 } } },
    advanced: { cookiePrefix: "lynceus", useSecureCookies: env.secureCookies },
    disabledPaths: [
      "/sign-up/email",
      "/update-user",
      "/delete-user",
      "/change-email",
      "/sign-in/social",
      "/link-social",
    ],
    // A wrong password is no news for the log.
    logger: { level: "error" },
  });
}

export type Auth = ReturnType<typeof makeAuth>;

const kept = globalThis as typeof globalThis & { lynceusAuth?: Auth };

/** Log-in, sessions and accounts. Made at the first request, since it needs the environment. */
export function auth(): Auth {
  kept.lynceusAuth ??= makeAuth();
  return kept.lynceusAuth;
}
