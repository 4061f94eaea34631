import type { Policy } from "@lynceus/protocol/policy";
import { type PresetInput, parseDomain } from "@lynceus/protocol/presets";
import { parseHostAndPort, parseHostName } from "./hosts.ts";

/** What the first-run form holds, as text. */
export interface SetupValues {
  smtpDomains: string;
  sipDomains: string;
  ews: string;
  lyncWeb: string;
  control: string;
  requiresProxy: boolean;
  exchangeOnline: boolean;
}

export type SetupErrors = Partial<Record<keyof SetupValues, string>>;

/** Most entries of one list. */
const mostDomains = 16;
const mostHosts = 16;

export function emptySetup(): SetupValues {
  return {
    smtpDomains: "",
    sipDomains: "",
    ews: "",
    lyncWeb: "",
    control: "",
    requiresProxy: false,
    exchangeOnline: false,
  };
}

/** The form's text as it was sent, cut to what a form can hold. */
export function readSetupForm(form: FormData): SetupValues {
  const text = (name: keyof SetupValues) => {
    const value = form.get(name);
    return typeof value === "string" ? value.slice(0, 4096).trim() : "";
  };
  return {
    smtpDomains: text("smtpDomains"),
    sipDomains: text("sipDomains"),
    ews: text("ews"),
    lyncWeb: text("lyncWeb"),
    control: text("control"),
    requiresProxy: form.get("requiresProxy") !== null,
    exchangeOnline: form.get("exchangeOnline") !== null,
  };
}

/** The domains alone, for the search. */
export function readDomains(values: SetupValues): { smtp: string[]; sip: string[]; errors: SetupErrors } {
  const errors: SetupErrors = {};
  const smtp = readList(values.smtpDomains, mostDomains, domainOf, "smtpDomains", errors);
  const sip = readList(values.sipDomains, mostDomains, domainOf, "sipDomains", errors);
  if (smtp.length + sip.length === 0 && Object.keys(errors).length === 0)
    errors.smtpDomains = "No domain is given; use the part of the mail addresses after the @, e.g. example.org.";
  return { smtp, sip, errors };
}

/** The whole form as what a policy is made from; null with the errors of each field when something is refused. */
export function readSetup(values: SetupValues): { preset: PresetInput | null; errors: SetupErrors } {
  const { smtp, sip, errors } = readDomains(values);
  const ews = readList(values.ews, mostHosts, hostOf, "ews", errors);
  const lyncWeb = readList(values.lyncWeb, mostHosts, hostOf, "lyncWeb", errors);
  if (ews.length === 0 && errors.ews === undefined)
    errors.ews = "No Exchange server is given; use the host that clients call, e.g. mail.example.org.";
  const control = readControl(values.control, errors);
  if (Object.keys(errors).length > 0) return { preset: null, errors };
  return {
    preset: {
      ews,
      smtpDomains: smtp,
      sipDomains: sip,
      ...(lyncWeb.length === 0 ? {} : { lyncWeb }),
      ...(control === null ? {} : { control }),
      requiresProxy: values.requiresProxy,
      exchangeOnline: values.exchangeOnline,
    },
    errors,
  };
}

/** The form that would give this policy, so that saved targets can be corrected. */
export function setupOf(policy: Policy): SetupValues {
  const hosts = (service: string) =>
    policy.targets
      .filter((target) => target.service === service)
      .map((target) => (target.port === null || target.port === 443 ? target.host : `${target.host}:${target.port}`));
  const control = policy.targets.find((target) => target.service === "control" && target.kind === "http");
  const port = control?.port == null || control.port === 80 ? "" : `:${control.port}`;
  return {
    smtpDomains: policy.expectations.smtpDomains.join(", "),
    sipDomains: policy.expectations.sipDomains.join(", "),
    ews: [...new Set(hosts("ews"))].join(", "),
    lyncWeb: [...new Set([...hosts("lync-rgs"), ...hosts("lync-abs")])].join(", "),
    control: control === undefined ? "" : `http://${control.host}${port}${control.path ?? "/"}`,
    requiresProxy: policy.expectations.requiresProxy,
    exchangeOnline: policy.expectations.exchangeOnline,
  };
}

function readList(
  text: string,
  most: number,
  read: (entry: string) => string,
  field: keyof SetupValues,
  errors: SetupErrors,
): string[] {
  const entries = text.split(/[\s,;]+/).filter((entry) => entry !== "");
  if (entries.length > most) {
    errors[field] = `${entries.length} entries are given; at most ${most} are possible.`;
    return [];
  }
  try {
    return [...new Set(entries.map(read))];
  } catch (error) {
    errors[field] = error instanceof RangeError ? error.message : "This could not be read.";
    return [];
  }
}

function domainOf(entry: string): string {
  const domain = parseHostName(parseDomain(entry));
  if (domain === null) throw new RangeError(`"${entry.slice(0, 80)}" is no domain; use e.g. example.org.`);
  return domain;
}

function hostOf(entry: string): string {
  const parsed = parseHostAndPort(entry);
  if (parsed === null)
    throw new RangeError(
      `"${entry.slice(0, 80)}" is no host name; use a name with a dot, and a port if need be, e.g. mail.example.org or mail.example.org:8443.`,
    );
  return parsed.port === null ? parsed.host : `${parsed.host}:${parsed.port}`;
}

function readControl(text: string, errors: SetupErrors): string | null {
  if (text === "") return null;
  const url = URL.canParse(text) ? new URL(text) : null;
  if (
    url === null ||
    !/^https?:$/.test(url.protocol) ||
    url.username !== "" ||
    url.password !== "" ||
    parseHostName(url.hostname) === null
  ) {
    errors.control = `"${text.slice(0, 80)}" is no plain web address; use e.g. http://www.example.org/ok.txt, without a name or password in it.`;
    return null;
  }
  return url.href;
}
