import type { Answer } from "./https-answer.ts";
import { askAddresses, askPage, askService } from "./questions.ts";
import type { Context, Step } from "./step.ts";

/** Headers that only an Exchange front end adds (domain 3.1, 3.2). */
const markers = [
  "x-feserver",
  "x-calculatedbetarget",
  "x-calculatedfetarget",
  "x-beserver",
  "x-caserrorcode",
  "x-owa-version",
  "x-soap-enabled",
  "x-wssecurity-enabled",
] as const;

/** 401 that offers Windows sign-in, or bears Exchange's own headers. */
export function readExchange(answer: Answer): { outcome: Step["outcome"]; answer: string; value: boolean } {
  const offers = answer.headers["www-authenticate"] ?? "";
  const marked = markers.some((name) => answer.headers[name] !== undefined);
  const windows = /\b(negotiate|ntlm)\b/i.test(offers);
  const who = answer.headers["x-feserver"] ?? answer.headers.server;
  const from = who === undefined ? "" : ` from ${who.slice(0, 64)}`;
  if (answer.status === 401 && (marked || (windows && answer.headers["request-id"] !== undefined)))
    return { outcome: "found", answer: `401${from}: Exchange`, value: true };
  if (answer.status === 401 && windows)
    return { outcome: "missing", answer: `401${from}: Windows sign-in, but no Exchange header`, value: false };
  const to = answer.headers.location;
  const moved = answer.status >= 300 && answer.status < 400 && to !== undefined ? ` to ${hostOf(to)}` : "";
  return { outcome: "missing", answer: `${answer.status}${from}${moved}: not Exchange`, value: false };
}

const hostOf = (location: string) => (URL.canParse(location) ? new URL(location).host.slice(0, 128) : "another page");

/** Exchange of one SMTP domain, the way a client looks for it: the autodiscover name, its SRV record, the domain itself. */
export async function findExchange(context: Context, domain: string): Promise<{ steps: Step[]; ews: string[] }> {
  const steps: Step[] = [];
  const service = await askService(context, `_autodiscover._tcp.${domain}`);
  steps.push(service.step);
  const candidates = [
    { host: `autodiscover.${domain}`, port: context.httpsPort },
    ...service.value.slice(0, 3),
    { host: `mail.${domain}`, port: context.httpsPort },
    { host: domain, port: context.httpsPort },
  ].filter((one, at, all) => all.findIndex((other) => other.host === one.host && other.port === one.port) === at);

  const looked = await Promise.all(
    candidates.map(async ({ host, port }) => {
      const addresses = await askAddresses(context, host);
      if (addresses.value.length === 0) return { steps: [addresses.step], ews: [] };
      const target = { host, port, addresses: addresses.value };
      const [ews, autodiscover] = await Promise.all([
        askPage(context, { ...target, path: "/EWS/Exchange.asmx" }, readExchange, false),
        askPage(context, { ...target, path: "/autodiscover/autodiscover.xml" }, readExchange, false),
      ]);
      return {
        steps: [addresses.step, autodiscover.step, ews.step],
        ews: ews.value ? [port === 443 ? host : `${host}:${port}`] : [],
      };
    }),
  );
  return { steps: [...steps, ...looked.flatMap((one) => one.steps)], ews: looked.flatMap((one) => one.ews) };
}
