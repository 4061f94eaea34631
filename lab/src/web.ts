import { mkdirSync, writeFileSync } from "node:fs";
import path from "node:path";
import { type CertificateFiles, issue } from "./certificates.ts";
import { address } from "./network.ts";
import { run, startDaemon } from "./shell.ts";

/** How Exchange's front end behaves. */
export type ExchangeMode = "up" | "stopped" | "basic-only" | "form" | "web-site";
export interface WebState {
  readonly exchange: ExchangeMode;
  readonly exchangeCertificate: "valid" | "wrong-name" | "expired";
  readonly autodiscover: "up" | "redirects-to-http";
  readonly lyncWeb: "up" | "stopped";
  /** The company's web site at Autodiscover's path of the bare domain. */
  readonly webSite: "not-found" | "basic-login";
  /** What the script server gives at /proxy.pac. */
  readonly script: string | null;
}

/** Nodes of Exchange that have a fault for good, by port: a firewall rule sends a client to one. */
export const faultyNode = {
  stopped: 8443,
  "basic-only": 8444,
  form: 8445,
  "web-site": 8446,
  expired: 8447,
  "wrong-name": 8448,
} as const;

const tls = (files: CertificateFiles) =>
  `ssl_certificate ${files.cert}; ssl_certificate_key ${files.key}; ssl_protocols TLSv1.2 TLSv1.3;`;

const challenge = {
  windows: `add_header WWW-Authenticate Negotiate always; add_header WWW-Authenticate NTLM always;`,
  basic: `add_header WWW-Authenticate 'Basic realm="mail.contoso.test"' always;`,
};
/** The markers of an Exchange front end (domain.md 3.1). */
const markers = `add_header X-FEServer EX03 always; add_header request-id 0f6592d3-9b8c-4a8e-9c55-6a1c2f3e4d5b always; add_header X-Powered-By ASP.NET always;`;

function exchangeLocations({ exchange: mode, autodiscover }: Pick<WebState, "exchange" | "autodiscover">): string {
  if (mode === "web-site") return `location / { default_type text/html; return 200 "<title>Contoso</title>"; }`;
  if (mode === "stopped") return `location / { default_type text/html; return 503 "<h2>Service Unavailable</h2>"; }`;
  if (mode === "form") return `location / { return 302 https://mail.contoso.test/owa/auth/logon.aspx?url=x; }`;
  const offer = mode === "basic-only" ? challenge.basic : challenge.windows;
  return `
    location ~* /healthcheck.htm$ { default_type text/html; add_header X-FEServer EX03 always; return 200 "200 OK<br/>EX03.contoso.test"; }
    location ~* ^/(ews|mapi|oab)/ { ${markers} ${offer} return 401; }
    ${autodiscover === "redirects-to-http" ? `location ~* ^/autodiscover/autodiscover.xml { return 302 http://autodiscover.contoso.test/autodiscover/autodiscover.xml; }` : ""}
    location ~* ^/autodiscover/ { ${markers} ${offer} ${mode === "basic-only" ? "" : challenge.basic} add_header X-CasErrorCode UnauthenticatedRequest always; return 401; }
    location / { return 404; }`;
}

/** The nodes with a fault of what they answer, and those with one of their certificate. */
function faultyNodes(certificates: Readonly<Record<"valid" | "expired" | "wrong-name", CertificateFiles>>): string {
  const node = (port: number, files: CertificateFiles, exchange: ExchangeMode) =>
    `  server { listen ${address.exchange}:${port} ssl; ${tls(files)} ${exchangeLocations({ exchange, autodiscover: "up" })} }`;
  return [
    ...(["stopped", "basic-only", "form", "web-site"] as const).map((mode) =>
      node(faultyNode[mode], certificates.valid, mode),
    ),
    ...(["expired", "wrong-name"] as const).map((which) => node(faultyNode[which], certificates[which], "up")),
  ].join("\n");
}

export interface WebServers {
  /** Changes what the servers answer; nginx reloads with its sockets open. */
  set(change: Partial<WebState>): void;
  readonly state: WebState;
  stop(): Promise<void>;
}

/** Exchange's front end, Lync web services, the control pages, the company's web site, the script server and a portal. */
export function startWebServers(
  namespace: string,
  directory: string,
  authority: CertificateFiles,
  guestAuthority: CertificateFiles,
): WebServers {
  const certificates = path.join(directory, "certificates");
  mkdirSync(certificates, { recursive: true });
  const exchange = {
    valid: issue(certificates, authority, "exchange", ["mail.contoso.test", "autodiscover.contoso.test"]),
    "wrong-name": issue(certificates, authority, "exchange-wrong", ["old-mail.contoso.test"]),
    expired: issue(certificates, authority, "exchange-expired", ["mail.contoso.test", "autodiscover.contoso.test"], -1),
  };
  const lync = issue(certificates, authority, "lync", [
    "lyncweb.contoso.test",
    "lyncdiscover.contoso.test",
    "lyncdiscoverinternal.contoso.test",
  ]);
  const control = issue(certificates, authority, "control", ["www.control.test"]);
  const webSite = issue(certificates, authority, "website", ["contoso.test"]);
  const portal = issue(certificates, guestAuthority, "portal", ["login.guest-wifi.test"]);

  let state: WebState = {
    exchange: "up",
    exchangeCertificate: "valid",
    autodiscover: "up",
    lyncWeb: "up",
    webSite: "not-found",
    script: null,
  };
  const file = path.join(directory, "nginx.conf");
  const scriptFile = path.join(directory, "proxy.pac");
  const write = () => {
    writeFileSync(scriptFile, state.script ?? "");
    const lyncLocations =
      state.lyncWeb === "stopped"
        ? `location / { return 503; }`
        : `
    location = / { default_type application/json; add_header X-MS-Server-Fqdn fe01.contoso.test always; return 200 '{"_links":{"self":{"href":"https://lyncdiscover.contoso.test/"},"user":{"href":"https://lyncweb.contoso.test/"}}}'; }
    location ~* ^/(rgsclients|abs)/ { add_header X-MS-Server-Fqdn fe01.contoso.test always; ${challenge.windows} return 401; }
    location / { return 404; }`;
    writeFileSync(
      file,
      `user root; worker_processes 1; daemon off; pid ${directory}/nginx.pid; error_log ${directory}/nginx-error.log;
events { worker_connections 1024; }
http {
  access_log ${directory}/nginx-access.log;
  client_body_temp_path ${directory}/b; proxy_temp_path ${directory}/p; fastcgi_temp_path ${directory}/f; uwsgi_temp_path ${directory}/u; scgi_temp_path ${directory}/s;
  server { listen ${address.exchange}:443 ssl; ${tls(exchange[state.exchangeCertificate])} ${exchangeLocations(state)} }
${faultyNodes(exchange)}
  server { listen ${address.lyncWeb}:443 ssl; ${tls(lync)} ${lyncLocations} }
  server { listen ${address.control}:80; location = /connecttest.txt { default_type text/plain; return 200 "Microsoft Connect Test"; } }
  server { listen ${address.control}:443 ssl; ${tls(control)} location / { return 200 "ok"; } }
  server { listen ${address.webSite}:443 ssl; ${tls(webSite)} location / { ${state.webSite === "basic-login" ? `add_header WWW-Authenticate 'Basic realm="Restricted"' always; return 401;` : "return 404;"} } }
  server { listen ${address.scripts}:80; location = /proxy.pac { ${state.script === null ? "return 404;" : `types {} default_type application/x-ns-proxy-autoconfig; alias ${scriptFile};`} } }
  server { listen ${address.portal}:80; location / { return 302 http://login.guest-wifi.test/welcome; } }
  server { listen ${address.portal}:443 ssl; ${tls(portal)} location / { return 302 http://login.guest-wifi.test/welcome; } }
}
`,
    );
  };
  write();
  const daemon = startDaemon(namespace, path.join(directory, "nginx.log"), "nginx", ["-c", file]);
  return {
    get state() {
      return state;
    },
    set(change) {
      state = { ...state, ...change };
      write();
      run("ip", "netns", "exec", namespace, "nginx", "-c", file, "-s", "reload");
    },
    stop: () => daemon.stop("SIGQUIT").then(() => daemon.stop("SIGTERM")),
  };
}
