/**
 * A page that goes on to another site by itself. A redirect would be the form's own answer, which the content security policy
 * lets stay on this site alone (`form-action`); a page that moves on is not.
 */
export function continuePage(url: string, cookies: readonly string[]): Response {
  const safe = url.replace(/[&<>"']/g, (letter) => `&#${letter.charCodeAt(0)};`);
  const headers = new Headers({ "content-type": "text/html; charset=utf-8", "cache-control": "no-store" });
  for (const cookie of cookies) headers.append("set-cookie", cookie);
  return new Response(
    `<!doctype html><html lang="en"><meta charset="utf-8"><meta name="viewport" content="width=device-width">` +
      `<meta name="color-scheme" content="light dark"><meta http-equiv="refresh" content="0;url=${safe}">` +
      `<link rel="icon" href="/icon.svg"><title>Signing in</title><p>Going on to <a href="${safe}">the sign-on provider</a>.</p></html>`,
    { headers },
  );
}
