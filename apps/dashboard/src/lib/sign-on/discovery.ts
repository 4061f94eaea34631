import * as z from "zod";
import { isForbiddenAddress, isLoopbackHost } from "../hosts.ts";

/** How long a provider may take to answer (ms). */
const timeoutMs = 8_000;
/** Of what it says of itself (characters). */
const mostText = 256 * 1024;

/** Why a provider cannot be used; may be shown. */
export class ProviderError extends Error {
  override readonly name = "ProviderError";
}

/** What a provider says of itself (OpenID Connect Discovery 1.0, section 3), as far as it is needed. */
const documentSchema = z.object({
  issuer: z.string(),
  authorization_endpoint: z.url(),
  token_endpoint: z.url(),
  userinfo_endpoint: z.url().optional(),
  jwks_uri: z.url(),
});
export type ProviderDocument = z.infer<typeof documentSchema>;

/** Where a provider says what it is. */
export const discoveryUrl = (issuer: string): string => `${issuer.replace(/\/$/, "")}/.well-known/openid-configuration`;

/** An issuer's address as it may be used: https, or http on this machine. @throws ProviderError */
export function checkIssuer(text: string): string {
  if (!URL.canParse(text))
    throw new ProviderError(`“${text.slice(0, 100)}” is no address; use e.g. https://login.example.org/realms/staff.`);
  const url = new URL(text);
  if (url.protocol !== "https:" && !(url.protocol === "http:" && isLoopbackHost(url.hostname)))
    throw new ProviderError(`“${text.slice(0, 100)}” is not https; use e.g. https://login.example.org/realms/staff.`);
  if (url.search !== "" || url.hash !== "" || url.username !== "")
    throw new ProviderError(
      "The issuer has no query, fragment or user; use e.g. https://login.example.org/realms/staff.",
    );
  const bare = url.hostname.replace(/^\[|\]$/g, "");
  if (/^[\d.]+$|:/.test(bare) && !isLoopbackHost(bare) && isForbiddenAddress(bare))
    throw new ProviderError(`The address ${bare} is not one that a provider may have.`);
  return text;
}

/** Asks a provider what it is. @throws ProviderError when it does not answer, or is another than was asked for. */
export async function discoverProvider(issuer: string): Promise<ProviderDocument> {
  const url = discoveryUrl(checkIssuer(issuer));
  let answer: Response;
  try {
    answer = await fetch(url, { redirect: "error", signal: AbortSignal.timeout(timeoutMs) });
  } catch (error) {
    const cause = error instanceof Error && error.cause instanceof Error ? error.cause.message : String(error);
    throw new ProviderError(`${url} did not answer: ${cause.slice(0, 200)}.`);
  }
  if (!answer.ok) throw new ProviderError(`${url} answered ${answer.status}; 200 is needed.`);
  const text = (await answer.text()).slice(0, mostText);
  const parsed = documentSchema.safeParse(parseJson(text));
  if (!parsed.success)
    throw new ProviderError(
      `${url} is no provider's description: ${parsed.error.issues[0]?.path.join(".") || "it"} is missing or wrong.`,
    );
  if (parsed.data.issuer !== issuer)
    throw new ProviderError(
      `The provider calls itself ${parsed.data.issuer.slice(0, 200)}; give its issuer exactly so.`,
    );
  return parsed.data;
}

function parseJson(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return null;
  }
}
