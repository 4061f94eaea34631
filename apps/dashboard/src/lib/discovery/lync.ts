import * as z from "zod";
import { parseHostName } from "../hosts.ts";
import type { Answer } from "./https-answer.ts";
import { askAddresses, askPage, askService } from "./questions.ts";
import type { Context, Step } from "./step.ts";

const link = z.looseObject({ href: z.string().max(2048) }).optional();
const rootSchema = z.looseObject({
  _links: z.looseObject({ self: link, user: link, redirect: link, xframe: link }),
});

/** The Lync web service's own host in what lyncdiscover answers (domain 3.1); null when it is something else. */
export function readLyncDiscover(answer: Answer): { outcome: Step["outcome"]; answer: string; value: string | null } {
  const server = answer.headers["x-ms-server-fqdn"];
  const root = rootSchema.safeParse(parseJson(answer.body));
  if (answer.status !== 200 || (!root.success && server === undefined))
    return { outcome: "missing", answer: `${answer.status}: not Lync`, value: null };
  const from = server === undefined ? "" : ` from ${server.slice(0, 128)}`;
  const links = root.success ? root.data._links : undefined;
  const href = links?.redirect?.href ?? links?.user?.href ?? links?.self?.href;
  const web = href !== undefined && URL.canParse(href) ? webHost(new URL(href)) : null;
  return { outcome: "found", answer: `200${from}: Lync`, value: web };
}

function webHost(url: URL): string | null {
  const host = url.protocol === "https:" ? parseHostName(url.hostname) : null;
  if (host === null) return null;
  return url.port === "" ? host : `${host}:${url.port}`;
}

function parseJson(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return null;
  }
}

/** Lync or Skype for Business of one SIP domain, in the client's order (domain 2.3): web first, then SRV, then names. */
export async function findLync(
  context: Context,
  domain: string,
): Promise<{ steps: Step[]; web: string[]; sip: string[] }> {
  const [discovered, services, fallback] = await Promise.all([
    Promise.all(
      [`lyncdiscoverinternal.${domain}`, `lyncdiscover.${domain}`].map(async (host) => {
        const addresses = await askAddresses(context, host);
        if (addresses.value.length === 0) return { steps: [addresses.step], web: null };
        const target = { host, port: context.httpsPort, path: "/", addresses: addresses.value };
        const page = await askPage(context, { ...target, accept: "application/json" }, readLyncDiscover, null);
        return { steps: [addresses.step, page.step], web: page.value };
      }),
    ),
    Promise.all([`_sipinternaltls._tcp.${domain}`, `_sip._tls.${domain}`].map((name) => askService(context, name))),
    askAddresses(context, `sip.${domain}`),
  ]);
  const web = discovered.flatMap((one) => (one.web === null ? [] : [one.web]));
  const sip = services.flatMap((one) => one.value.map((target) => `${target.host}:${target.port}`));
  return {
    steps: [...discovered.flatMap((one) => one.steps), ...services.map((one) => one.step), fallback.step],
    web: [...new Set(web)],
    sip: [...new Set(sip)],
  };
}
