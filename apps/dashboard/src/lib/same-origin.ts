/**
 * Whether a request that changes something was made by a page of ours. A browser always says where a POST comes from:
 * `Sec-Fetch-Site`, else `Origin`. What says neither is no browser and carries no cookie by accident; it is refused too.
 */
export function isSameOrigin(headers: Headers): boolean {
  const site = headers.get("sec-fetch-site");
  if (site !== null && site !== "same-origin") return false;
  const origin = headers.get("origin");
  if (origin === null) return site === "same-origin";
  const host = headers.get("x-forwarded-host") ?? headers.get("host");
  return URL.canParse(origin) && new URL(origin).host === host;
}
