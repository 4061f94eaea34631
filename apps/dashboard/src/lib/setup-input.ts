import { expectationsOf, type Policy } from "@lynceus/protocol/policy";
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
  /** The setting that is rolled out: "" for not declared, else a mode of the baseline. */
  baselineMode: string;
  baselinePacUrl: string;
  baselineProxy: string;
  baselineBypass: string;
  /** "inside": also on VPN; "everywhere". */
  baselineWhere: string;
  insideSuffixes: string;
  organisationDomains: string;
  trustedDomains: string;
  wpadHosts: string;
  ssoHosts: string;
  mailboxInExchangeOnline: boolean;
  tenantEws: string;
  kerberos: string;
  extendedProtection: string;
  responseGroups: boolean;
  require5060: boolean;
}

/** Fields of the form that are ticked or not. */
const ticked = ["requiresProxy", "exchangeOnline", "mailboxInExchangeOnline", "responseGroups", "require5060"] as const;
export type SetupTick = (typeof ticked)[number];
export type SetupText = Exclude<keyof SetupValues, SetupTick>;

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
    baselineMode: "",
    baselinePacUrl: "",
    baselineProxy: "",
    baselineBypass: "",
    baselineWhere: "everywhere",
    insideSuffixes: "",
    organisationDomains: "",
    trustedDomains: "",
    wpadHosts: "",
    ssoHosts: "",
    mailboxInExchangeOnline: false,
    tenantEws: "unknown",
    kerberos: "unknown",
    extendedProtection: "unknown",
    responseGroups: false,
    require5060: false,
  };
}

/** The form's text as it was sent, cut to what a form can hold. What it does not name is as in an empty form. */
export function readSetupForm(form: FormData): SetupValues {
  const values = emptySetup();
  for (const name of ticked) values[name] = form.get(name) !== null;
  for (const name of Object.keys(values) as (keyof SetupValues)[]) {
    const value = form.get(name);
    if (typeof value === "string" && !isTick(name)) values[name] = value.slice(0, 4096).trim();
  }
  return values;
}

const isTick = (name: keyof SetupValues): name is SetupTick => (ticked as readonly string[]).includes(name);

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
  const baseline = readBaseline(values, errors);
  const insideSuffixes = readList(values.insideSuffixes, mostHosts, domainOf, "insideSuffixes", errors);
  const organisationDomains = readList(
    values.organisationDomains,
    mostDomains,
    domainOf,
    "organisationDomains",
    errors,
  );
  const trustedDomains = readList(values.trustedDomains, mostDomains, domainOf, "trustedDomains", errors);
  const wpadHosts = readList(values.wpadHosts, mostHosts, hostOf, "wpadHosts", errors);
  const ssoHosts = readList(values.ssoHosts, mostHosts, domainOf, "ssoHosts", errors);
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
      baseline,
      insideSuffixes,
      organisationDomains,
      trustedDomains,
      wpadHosts,
      ssoHosts,
      mailboxInExchangeOnline: values.mailboxInExchangeOnline,
      tenantEws: oneOf(values.tenantEws, ["enabled", "disabled", "unknown"]),
      kerberos: oneOf(values.kerberos, ["works", "absent", "unknown"]),
      extendedProtection: oneOf(values.extendedProtection, ["on", "off", "unknown"]),
      responseGroups: values.responseGroups,
      require5060: values.require5060,
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
  const expected = expectationsOf(policy);
  const { baseline } = expected;
  return {
    smtpDomains: policy.expectations.smtpDomains.join(", "),
    sipDomains: policy.expectations.sipDomains.join(", "),
    ews: [...new Set(hosts("ews"))].join(", "),
    lyncWeb: [...new Set([...hosts("lync-rgs"), ...hosts("lync-abs")])].join(", "),
    control: control === undefined ? "" : `http://${control.host}${port}${control.path ?? "/"}`,
    requiresProxy: policy.expectations.requiresProxy,
    exchangeOnline: policy.expectations.exchangeOnline,
    baselineMode: baseline?.mode ?? "",
    baselinePacUrl: baseline?.pacUrl ?? "",
    baselineProxy: baseline?.proxy ?? "",
    baselineBypass: baseline?.bypass.join("; ") ?? "",
    baselineWhere: baseline === null || baseline.locations.includes("outside") ? "everywhere" : "inside",
    insideSuffixes: policy.insideSuffixes.join(", "),
    organisationDomains: expected.organisationDomains.join(", "),
    trustedDomains: expected.trustedDomains.join(", "),
    wpadHosts: expected.wpadHosts.join(", "),
    ssoHosts: expected.ssoHosts.join(", "),
    mailboxInExchangeOnline: expected.mailboxInExchangeOnline,
    tenantEws: expected.tenantEws,
    kerberos: expected.kerberos,
    extendedProtection: expected.extendedProtection,
    responseGroups: expected.responseGroups,
    require5060: expected.require5060,
  };
}

/** What the form does not ask for, and saving must not lose. */
export function keptOf(policy: Policy): Pick<PresetInput, "beacon" | "controlHttps"> {
  const https = policy.targets.find((target) => target.id === "control-https");
  return {
    beacon: policy.beacon,
    ...(https === undefined || https.port === null ? {} : { controlHttps: `${https.host}:${https.port}` }),
  };
}

const oneOf = <T extends string>(text: string, values: readonly [...T[], T]): T =>
  values.find((value) => value === text) ?? (values[values.length - 1] as T);

const mostBypass = 64;

/** The setting that is rolled out; null where it is not declared. */
function readBaseline(values: SetupValues, errors: SetupErrors): NonNullable<PresetInput["baseline"]> | null {
  const mode = (["direct", "auto-detect", "pac", "manual"] as const).find((one) => one === values.baselineMode);
  if (mode === undefined) return null;
  let pacUrl: string | null = null;
  let proxy: string | null = null;
  if (mode === "pac") {
    const text = values.baselinePacUrl;
    const url = URL.canParse(text) ? new URL(text) : null;
    if (url === null || !/^(https?|file):$/.test(url.protocol) || url.username !== "" || url.password !== "")
      errors.baselinePacUrl = `"${text.slice(0, 80)}" is no address of a script; use e.g. http://pac.example.org/proxy.pac, without a name or password in it.`;
    else pacUrl = text;
  }
  if (mode === "manual") {
    const parsed = parseHostAndPort(values.baselineProxy);
    if (parsed === null || parsed.port === null)
      errors.baselineProxy = `"${values.baselineProxy.slice(0, 80)}" is no proxy; use a name and a port, e.g. px2.example.org:8080.`;
    else proxy = `${parsed.host}:${parsed.port}`;
  }
  const bypass = values.baselineBypass.split(/[\s,;]+/).filter((entry) => entry !== "");
  if (bypass.length > mostBypass || bypass.some((entry) => entry.length > 253))
    errors.baselineBypass = `${bypass.length} entries are given; at most ${mostBypass} of 253 characters are possible, e.g. *.example.org; <local>.`;
  return {
    mode,
    pacUrl,
    proxy,
    bypass,
    locations: values.baselineWhere === "inside" ? ["inside", "vpn"] : ["inside", "vpn", "outside", "unknown"],
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
