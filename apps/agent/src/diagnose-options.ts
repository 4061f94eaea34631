import { parseArgs } from "node:util";
import type { Policy } from "@lynceus/protocol/policy";
import { buildPolicy } from "@lynceus/protocol/presets";
import type { Fence } from "./probes/context.ts";
import { codeOf } from "./probes/errors.ts";

/** What the one-shot was told. */
export interface DiagnoseOptions {
  readonly json: boolean;
  readonly cycles: number;
  readonly settingsFile: string | null;
  readonly policy: Policy;
  /** What the command line named, and nothing else (domain 5.0 rule 16). */
  readonly fence: Fence;
}

export type ParsedDiagnose =
  | { readonly ok: true; readonly options: DiagnoseOptions }
  | { readonly ok: false; readonly message: string }
  | { readonly ok: "help" };

export const diagnoseUsage = `Usage: lynceus-agent diagnose --ews HOST [OPTIONS]

Probes now, prints what it saw and what it means. Needs no collector and sends no credentials.

Targets (each may be given several times):
  --ews HOST[:PORT]         Exchange, for EWS, MAPI, OAB and the health page
  --smtp-domain DOMAIN      mail domain, for autodiscover
  --sip-domain DOMAIN       sign-in domain, for Lync discovery and SIP
  --lync-web HOST[:PORT]    Lync web services, for Response Group and address book
  --sso-host HOST           log-in host to which a redirect is right

  --control URL             page with the text "Microsoft Connect Test", to notice portals
  --control-https HOST[:P]  host that answers TLS for everyone
  --port PORT               https port of hosts that name none (443)
  --requires-proxy          this network has no direct way out, on purpose
  --exchange-online         mailboxes are in Exchange Online
  --response-groups         Response Group is in use
  --extended-protection on|off|unknown

  --proxy-settings FILE     JSON with Windows' Internet Settings values (AutoDetect, AutoConfigURL, ProxyEnable,
                            ProxyServer, ProxyOverride), or what netsh winhttp show advproxy printed, to examine
                            instead of this machine's
  --cycles N                look N times, 1 to 20 (1)
  --json                    print machine, observations and findings as JSON

Exit code: 0 healthy, 1 findings or it cannot be told (see "status"), 2 could not run.
`;

export const diagnoseOptions = {
  ews: { type: "string", multiple: true },
  "smtp-domain": { type: "string", multiple: true },
  "sip-domain": { type: "string", multiple: true },
  "lync-web": { type: "string", multiple: true },
  "sso-host": { type: "string", multiple: true },
  control: { type: "string" },
  "control-https": { type: "string" },
  port: { type: "string" },
  "requires-proxy": { type: "boolean" },
  "exchange-online": { type: "boolean" },
  "response-groups": { type: "boolean" },
  "extended-protection": { type: "string" },
  "proxy-settings": { type: "string" },
  cycles: { type: "string" },
  json: { type: "boolean" },
  help: { type: "boolean", short: "h" },
} as const;

/** @throws RangeError with one line. */
function whole(name: string, text: string | undefined, least: number, most: number, usual: number): number {
  if (text === undefined) return usual;
  const value = Number(text);
  if (!/^\d{1,6}$/.test(text) || value < least || value > most)
    throw new RangeError(
      `--${name} "${text.slice(0, 40)}" is no number from ${least} to ${most}; use e.g. --${name} ${usual}`,
    );
  return value;
}

/** @throws RangeError with one line. */
function extendedProtection(text: string | undefined): "on" | "off" | "unknown" {
  if (text === undefined || text === "unknown") return "unknown";
  if (text === "on" || text === "off") return text;
  throw new RangeError(
    `--extended-protection "${text.slice(0, 40)}" is none of on, off, unknown; use e.g. --extended-protection on`,
  );
}

/** Whole hosts of the targets, the domains that were named, and the ports of both. */
function fenceOf({ targets, expectations }: Policy): Fence {
  const hosts = targets.map(({ host, kind }) => (kind === "srv" ? host.replace(/^(_[^.]+\.)+/, "") : host));
  return {
    suffixes: [...new Set([...hosts, ...expectations.smtpDomains, ...expectations.sipDomains])],
    ports: [...new Set(targets.flatMap(({ port }) => (port === null ? [] : [port])))],
  };
}

/** Reads the command line of `diagnose`. What is wrong with it is one line: the value, the rule, an example. */
export function parseDiagnose(argv: readonly string[]): ParsedDiagnose {
  try {
    const { values } = parseArgs({ args: [...argv], options: diagnoseOptions, strict: true, allowPositionals: false });
    if (values.help) return { ok: "help" };
    const ews = values.ews ?? [];
    const smtpDomains = values["smtp-domain"] ?? [];
    if (ews.length === 0 && smtpDomains.length === 0)
      throw new RangeError(
        "no target: name the Exchange host, such as --ews mail.example.org --smtp-domain example.org",
      );
    const policy = buildPolicy(
      {
        ews,
        smtpDomains,
        sipDomains: values["sip-domain"] ?? [],
        lyncWeb: values["lync-web"] ?? [],
        ssoHosts: values["sso-host"] ?? [],
        requiresProxy: values["requires-proxy"] ?? false,
        exchangeOnline: values["exchange-online"] ?? false,
        responseGroups: values["response-groups"] ?? false,
        extendedProtection: extendedProtection(values["extended-protection"]),
        port: whole("port", values.port, 1, 65_535, 443),
        ...(values.control === undefined ? {} : { control: values.control }),
        ...(values["control-https"] === undefined ? {} : { controlHttps: values["control-https"] }),
      },
      0,
    );
    return {
      ok: true,
      options: {
        json: values.json ?? false,
        cycles: whole("cycles", values.cycles, 1, 20, 1),
        settingsFile: values["proxy-settings"] ?? null,
        policy,
        fence: fenceOf(policy),
      },
    };
  } catch (error) {
    const [line = ""] = (error instanceof Error ? error.message : String(error)).split("\n", 1);
    const fromParser = codeOf(error).startsWith("ERR_PARSE_ARGS");
    return { ok: false, message: fromParser ? `${line}; use e.g. --ews mail.example.org (--help lists all)` : line };
  }
}
