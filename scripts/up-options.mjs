// Options of `npm run up`, parsed before anything is installed, so that a typing error costs nothing.
import os from "node:os";
import path from "node:path";
import { parseArgs } from "node:util";

export const help = `npm run up -- [options]

  Starts the database, the collector, the dashboard and an agent for this machine.

  --ews HOST[:PORT]       Exchange server to probe; may be repeated
  --smtp-domain DOMAIN    mail domain, for autodiscover; may be repeated
  --sip-domain DOMAIN     sign-in domain, for Lync / Skype for Business; may be repeated
  --lync-web HOST         Lync web services server; may be repeated
  --control URL           http page that must answer when the network works
  --control-https HOST[:PORT]  host that answers https for everyone, to tell a closed port from a closed Exchange
  --requires-proxy        this network has no direct way out, on purpose
  --proxy-settings FILE   examine these Windows proxy settings instead of this machine's own

  --port N                dashboard, default 3000
  --collector-port N      collector, default 7443
  --public-name NAME      name under which other machines reach the collector; without it only this machine does
  --data-dir DIR          everything that is kept, default .lynceus in the checkout
  --demo N                add N simulated machines, marked as simulated
  --no-agent              no agent for this machine
  --help                  this text

  DATABASE_URL            use this PostgreSQL (14 or newer) instead of the embedded one

Without --ews, --smtp-domain and --sip-domain the dashboard's first page asks for the domains and looks for the servers.`;

const hostPattern = /^(?=.{1,255}$)[a-z0-9]([a-z0-9-]{0,62}[a-z0-9])?(\.[a-z0-9]([a-z0-9-]{0,62}[a-z0-9])?)*$/i;

const spec = {
  ews: { type: "string", multiple: true },
  "smtp-domain": { type: "string", multiple: true },
  "sip-domain": { type: "string", multiple: true },
  "lync-web": { type: "string", multiple: true },
  control: { type: "string" },
  "control-https": { type: "string" },
  "requires-proxy": { type: "boolean" },
  "proxy-settings": { type: "string" },
  port: { type: "string" },
  "collector-port": { type: "string" },
  "public-name": { type: "string" },
  "data-dir": { type: "string" },
  demo: { type: "string" },
  "no-agent": { type: "boolean" },
  help: { type: "boolean" },
};

const names = Object.keys(spec);

function nearest(option) {
  const distance = (a, b) => {
    const row = Array.from({ length: b.length + 1 }, (_, i) => i);
    for (let i = 1; i <= a.length; i++) {
      let diagonal = row[0];
      row[0] = i;
      for (let j = 1; j <= b.length; j++) {
        const cost = Math.min(row[j] + 1, row[j - 1] + 1, diagonal + (a[i - 1] === b[j - 1] ? 0 : 1));
        diagonal = row[j];
        row[j] = cost;
      }
    }
    return row[b.length];
  };
  return names.map((name) => [distance(option, name), name]).sort((a, b) => a[0] - b[0])[0][1];
}

function integer(option, text, fallback, min, max, example) {
  if (text === undefined) return fallback;
  const value = Number(text);
  if (!/^\d+$/.test(text) || value < min || value > max) {
    throw new Error(
      `--${option} "${text}" is not a whole number from ${min} to ${max}; use e.g. --${option} ${example}`,
    );
  }
  return value;
}

const examples = { ews: "mail.example.org", "lync-web": "lync.example.org", "control-https": "www.example.org:443" };

function host(option, text, { port = false } = {}) {
  const [name, number, ...rest] = text.split(":");
  const portOk =
    number === undefined || (port && /^\d+$/.test(number) && Number(number) >= 1 && Number(number) <= 65_535);
  if (!hostPattern.test(name) || !portOk || rest.length > 0) {
    throw new Error(
      `--${option} "${text}" is not a host name${port ? " with an optional port" : ""}; use e.g. --${option} ${examples[option] ?? "example.org"}`,
    );
  }
  return text.toLowerCase();
}

/**
 * @param {string[]} argv
 * @param {{ cwd: string, root: string, env: Record<string, string | undefined> }} context
 * @throws {Error} with one line: the value, the rule, an example
 */
export function parseUpOptions(argv, { cwd, root, env }) {
  let values;
  try {
    ({ values } = parseArgs({ args: argv, options: spec, strict: true, allowPositionals: false }));
  } catch (error) {
    const unknown = /Unknown option '-{0,2}([^' ]+)/.exec(error.message)?.[1];
    if (unknown)
      throw new Error(
        `unknown option --${unknown.slice(0, 40)}; did you mean --${nearest(unknown)}? --help lists them all`,
      );
    throw new Error(`${error.message.split(". ")[0]}; --help lists the options`);
  }
  const hosts = (option, opts) =>
    (values[option] ?? []).flatMap((text) => text.split(",")).map((text) => host(option, text.trim(), opts));
  const targets = {
    ews: hosts("ews", { port: true }),
    smtpDomains: hosts("smtp-domain"),
    sipDomains: hosts("sip-domain"),
    lyncWeb: hosts("lync-web", { port: true }),
    control: values.control ?? null,
    controlHttps:
      values["control-https"] === undefined ? null : host("control-https", values["control-https"], { port: true }),
    requiresProxy: values["requires-proxy"] ?? false,
  };
  if (targets.control !== null && !/^http:\/\/[^/\s]+/.test(targets.control)) {
    throw new Error(
      `--control "${targets.control}" is not a plain http address; use e.g. --control http://www.msftconnecttest.com/connecttest.txt`,
    );
  }
  const named = targets.ews.length + targets.smtpDomains.length + targets.sipDomains.length;
  if (named > 0 && targets.ews.length === 0)
    throw new Error(
      "--ews is missing; name the Exchange server, e.g. --ews mail.example.org, or leave all targets out to be asked in the dashboard",
    );
  if (named === 0 && (targets.lyncWeb.length > 0 || targets.control !== null || targets.controlHttps !== null))
    throw new Error("--lync-web, --control and --control-https need --ews as well, e.g. --ews mail.example.org");
  const demo = integer("demo", values.demo, 0, 1, 10_000, "200");
  const port = integer("port", values.port, 3000, 1, 65_535, "3000");
  const collectorPort = integer("collector-port", values["collector-port"], 7443, 1, 65_535, "7443");
  if (port === collectorPort)
    throw new Error(
      `--port and --collector-port are both ${port}; give them two numbers, e.g. --port 3000 --collector-port 7443`,
    );
  const databaseUrl = env.DATABASE_URL || null;
  if (databaseUrl !== null && !/^postgres(ql)?:\/\//.test(databaseUrl)) {
    throw new Error(
      "DATABASE_URL does not begin with postgresql://; use e.g. postgresql://lynceus@db.example.org/lynceus",
    );
  }
  return {
    help: values.help ?? false,
    targets: named > 0 ? targets : null,
    port,
    collectorPort,
    publicName: values["public-name"] === undefined ? null : host("public-name", values["public-name"]),
    dataDir:
      values["data-dir"] === undefined
        ? path.join(root, ".lynceus")
        : path.resolve(cwd, values["data-dir"].replace(/^~(?=$|\/)/, os.homedir())),
    proxySettings: values["proxy-settings"] === undefined ? null : path.resolve(cwd, values["proxy-settings"]),
    demo,
    agent: !(values["no-agent"] ?? false),
    databaseUrl,
  };
}
