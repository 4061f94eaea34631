import { isSameOrigin } from "../../../lib/same-origin.ts";
import { seeOther } from "../../../lib/see-other.ts";
import { wallCookie, wallOf } from "../../../lib/wall.ts";

/** Keeps the wallboard's token for this screen, by a form post: it stands in no address, and so in no log. */
export async function POST(request: Request): Promise<Response> {
  const form = await request.formData().catch(() => null);
  const text = (name: string) => {
    const value = form?.get(name);
    return typeof value === "string" ? value : "";
  };
  const secret = text("token").trim();
  const of = text("site") === "" ? {} : { site: text("site").slice(0, 200) };
  const held = isSameOrigin(request.headers) && secret.length <= 512 ? await wallOf(secret) : null;
  const to = (path: string, query: Record<string, string>) =>
    `${path}?${new URLSearchParams(query)}`.replace(/\?$/, "");
  return held === null
    ? seeOther(to("/wall/open", { ...of, refused: "1" }))
    : seeOther(to("/wall", of), [wallCookie(secret)]);
}
