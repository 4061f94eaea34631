import { AsyncLocalStorage } from "node:async_hooks";
import type { Access } from "@lynceus/protocol/access";
import { betterAuth } from "better-auth";
import { genericOAuth } from "better-auth/plugins/generic-oauth";
import { decodeJwt } from "jose";
import { authOptions } from "../auth.ts";
import { environment } from "../env.ts";
import { discoverProvider, discoveryUrl, ProviderError } from "./discovery.ts";
import { accessOfGroups, groupsOf } from "./groups.ts";
import { openSecret, type SignOn } from "./settings.ts";

/** The provider's name in the accounts' table, and in the address that it sends people back to. */
export const providerId = "sso";

/** What is learned of somebody while they are on their way in. */
export interface Arrival {
  /** The provider's own name of the person. */
  subject: string | null;
  /** What their groups give them. */
  access: Access | null;
}

const arriving = new AsyncLocalStorage<Arrival>();

/** Runs a step of a sign-in, and tells what was learned of the person. */
export async function whileArriving<T>(step: () => Promise<T>): Promise<{ result: T; arrival: Arrival }> {
  const arrival: Arrival = { subject: null, access: null };
  return { result: await arriving.run(arrival, step), arrival };
}

type Settings = SignOn & { sealedSecret: string };

/**
 * The auth library with the provider in it. Apart from the other instance, so that sessions and passwords do not depend on a
 * provider's being there. @throws ProviderError when the provider does not answer.
 */
async function makeSignOn(settings: Settings) {
  const env = environment();
  const base = authOptions();
  const document = await discoverProvider(settings.issuer);
  const instance = betterAuth({
    ...base,
    trustedOrigins: [...base.trustedOrigins, new URL(settings.issuer).origin],
    // Nobody needs the tokens after the sign-in: they are not kept.
    account: {
      updateAccountOnSignIn: false,
      accountLinking: {
        enabled: true,
        trustedProviders: settings.trustsAddresses ? [providerId] : [],
        requireLocalEmailVerified: false,
      },
    },
    databaseHooks: {
      ...base.databaseHooks,
      account: {
        create: {
          before: async (account) => ({ data: { ...account, accessToken: null, refreshToken: null, idToken: null } }),
        },
      },
    },
    user: {
      // A new account sees no machine until its groups were applied.
      additionalFields: { scoped: { type: "boolean", input: false, required: false, defaultValue: true } },
      validateUserInfo: async ({ source }) => {
        const claims = source.method === "oauth" ? source.oauth?.profile : undefined;
        if (claims === undefined) return { error: "no_claims" };
        const access = accessOfGroups(settings, groupsOf(claims, settings.groupsClaim));
        if (access === null) return { error: "no_group" };
        const arrival = arriving.getStore();
        if (arrival === undefined || typeof claims.sub !== "string") return { error: "no_claims" };
        arrival.subject = claims.sub;
        arrival.access = access;
        return undefined;
      },
    },
    plugins: [
      genericOAuth({
        config: [
          {
            providerId,
            name: settings.name,
            discoveryUrl: discoveryUrl(settings.issuer),
            requireIdTokenVerification: true,
            clientId: settings.clientId,
            clientSecret: await openSecret(settings.sealedSecret, env.authSecret),
            scopes: settings.scopes,
            pkce: true,
            getUserInfo: async ({ idToken, accessToken }) => {
              if (idToken === undefined) return null;
              // The library has verified the token: signature, issuer, audience, nonce, time.
              const claims: Record<string, unknown> = decodeJwt(idToken);
              const complete = typeof claims.email === "string" && Object.hasOwn(claims, settings.groupsClaim);
              const more = complete ? {} : await userInfo(document.userinfo_endpoint, accessToken, claims.sub);
              const all = { ...more, ...claims };
              return {
                ...all,
                email: typeof all.email === "string" ? all.email : null,
                emailVerified: all.email_verified === true,
                name: typeof all.name === "string" ? all.name.slice(0, 100) : String(all.email ?? "").slice(0, 100),
                image: undefined,
              };
            },
          },
        ],
      }),
    ],
  });
  if (!(await instance.$context).socialProviders.some(({ id }) => id === providerId))
    throw new ProviderError(`${settings.issuer} did not say how its tokens are verified.`);
  return instance;
}

/** What the user-info endpoint says of the same person; nothing where it says anything else. */
async function userInfo(url: string | undefined, accessToken: string | undefined, sub: unknown) {
  if (url === undefined || accessToken === undefined) return {};
  const answer = await fetch(url, {
    headers: { authorization: `Bearer ${accessToken}` },
    redirect: "error",
    signal: AbortSignal.timeout(8_000),
  });
  const claims: unknown = answer.ok ? await answer.json().catch(() => null) : null;
  return typeof claims === "object" && claims !== null && "sub" in claims && claims.sub === sub
    ? (claims as Record<string, unknown>)
    : {};
}

export type SignOnAuth = Awaited<ReturnType<typeof makeSignOn>>;

const kept = globalThis as typeof globalThis & { lynceusSignOn?: { settings: string; made: Promise<SignOnAuth> } };

/** The instance for these settings; made again when they change, and when it could not be made. */
export function signOnAuth(settings: Settings): Promise<SignOnAuth> {
  const text = JSON.stringify(settings);
  if (kept.lynceusSignOn?.settings !== text) {
    const made = makeSignOn(settings);
    kept.lynceusSignOn = { settings: text, made };
    made.catch(() => {
      if (kept.lynceusSignOn?.made === made) delete kept.lynceusSignOn;
    });
  }
  return kept.lynceusSignOn.made;
}
