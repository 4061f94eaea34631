import { createReadStream, existsSync, readFileSync } from "node:fs";
import http, { type IncomingMessage, type ServerResponse } from "node:http";
import https from "node:https";
import type { AddressInfo } from "node:net";
import path from "node:path";
import type { Duplex } from "node:stream";
import { fileURLToPath } from "node:url";

/*
 * What stands for Grafana's server: it keeps the data source with its secrets, serves the plug-in's files and the page with
 * Grafana's packages, and is the data proxy that applies the routes of plugin.json as Grafana's does: by method and path, with
 * the token from the secrets, without the browser's cookies and credentials, the certificate verified; a refusal of the data
 * source (401) reaches the browser as 400, and what cannot be reached as 502.
 */

const folder = fileURLToPath(new URL("../..", import.meta.url));
const dist = path.join(folder, "dist");
const modules = path.join(folder, "node_modules");
const inter = fileURLToPath(import.meta.resolve("@fontsource-variable/inter/files/inter-latin-wght-normal.woff2"));

/** What Grafana keeps of the data source. */
export interface Stored {
  url: string;
  jsonData: { tlsAuthWithCACert?: boolean; dashboardUrl?: string; live?: boolean };
  secrets: Record<string, string>;
}

interface Route {
  path: string;
  method?: string;
  headers: { name: string; content: string }[];
}

const types: Record<string, string> = {
  ".js": "text/javascript",
  ".css": "text/css",
  ".json": "application/json",
  ".svg": "image/svg+xml",
  ".png": "image/png",
  ".map": "application/json",
};

/** The names of packages that the plug-in takes from the application, as addresses. */
const importMap = (names: readonly string[]) => ({
  imports: Object.fromEntries(names.map((name) => [name, `/shared/${name}`])),
});
const sharedNames =
  "@emotion/css @emotion/react @grafana/data @grafana/i18n @grafana/runtime @grafana/ui lodash moment react react/jsx-runtime react-dom rxjs";

const page = `<!doctype html><html><head><meta charset="utf-8"><title>Lynceus in Grafana's packages</title>
<link rel="icon" href="data:,"><link rel="stylesheet" href="/host.css">
<script>window.grafanaBootData = { settings: { datasources: {}, panels: {}, apps: {}, buildInfo: { version: "13.2.2", env: "production" },
featureToggles: {}, appSubUrl: "", appUrl: location.origin + "/", namespace: "default", unifiedAlerting: {}, licenseInfo: {}, rendererAvailable: false },
user: { timezone: "utc", weekStart: "monday", locale: "en-GB", regionalFormat: "en-GB", permissions: {} }, navTree: [] };
window.__grafana_public_path__ = "/public/";</script>
<script type="systemjs-importmap">${JSON.stringify(importMap(sharedNames.split(" ")))}</script></head>
<body style="margin:0"><div id="root"></div><script src="/host.js"></script><script src="/system.js"></script><script src="/amd.js"></script></body></html>`;

export interface GrafanaOptions {
  /** Where host.js and host.css are. */
  readonly host: string;
  readonly datasource: Stored;
}

export async function startGrafana({ host, datasource }: GrafanaOptions) {
  const stored: Stored = structuredClone(datasource);
  const plugin = JSON.parse(readFileSync(path.join(dist, "plugin.json"), "utf8"));
  /** What the data proxy was asked. */
  const proxied: string[] = [];

  const files: [prefix: string, directory: string][] = [
    [`/public/plugins/${plugin.id}/`, dist],
    ["/public/build/img/icons/", path.join(modules, "@grafana/ui/dist/public/img/icons")],
    ["/public/img/icons/", path.join(modules, "@grafana/ui/dist/public/img/icons")],
    // Grafana's own typeface, which it does not publish with its packages.
    ["/public/fonts/inter/Inter-Regular.woff2", inter],
    ["/public/fonts/inter/Inter-Medium.woff2", inter],
    ["/system.js", path.join(modules, "systemjs/dist/system.js")],
    ["/amd.js", path.join(modules, "systemjs/dist/extras/amd.js")],
    ["/host.js", path.join(host, "host.js")],
    ["/host.css", path.join(host, "host.css")],
  ];

  function sendFile(url: string, response: ServerResponse): boolean {
    for (const [prefix, directory] of files) {
      if (!url.startsWith(prefix)) continue;
      const rest = path.normalize(url.slice(prefix.length)).replace(/^(\.\.[/\\])+/, "");
      const file = rest === "." ? directory : path.join(directory, rest);
      if (!existsSync(file)) continue;
      response.setHeader("content-type", types[path.extname(file)] ?? "application/octet-stream");
      response.setHeader("cache-control", "max-age=3600");
      createReadStream(file).pipe(response);
      return true;
    }
    return false;
  }

  const json = (response: ServerResponse, body: unknown) => {
    response.setHeader("content-type", "application/json");
    response.end(JSON.stringify(body));
  };
  /** What a browser may know. */
  const shown = () => ({
    id: 1,
    uid: "lynceus",
    name: "Lynceus",
    type: plugin.id,
    access: "proxy",
    url: stored.url,
    jsonData: stored.jsonData,
    secureJsonFields: Object.fromEntries(Object.keys(stored.secrets).map((name) => [name, true])),
  });

  const proxyPrefix = "/api/datasources/proxy/uid/lynceus/";
  const toCollector = (request: IncomingMessage) => {
    const rest = (request.url ?? "").slice(proxyPrefix.length);
    const route = (plugin.routes as Route[]).find(
      ({ path: start, method }) => rest.startsWith(start) && (method === undefined || method === request.method),
    );
    const headers: http.OutgoingHttpHeaders = { ...request.headers };
    for (const name of ["cookie", "origin", "referer", "authorization", "host"]) delete headers[name];
    for (const { name, content } of route?.headers ?? [])
      headers[name.toLowerCase()] = content.replace(
        /\{\{\s*\.SecureJsonData\.(\w+)\s*\}\}/g,
        (_whole, secret: string) => stored.secrets[secret] ?? "",
      );
    const target = new URL(`${stored.url.replace(/\/$/, "")}/${rest}`);
    const authority = stored.jsonData.tlsAuthWithCACert ? { ca: stored.secrets.tlsCACert } : {};
    return {
      request: target.protocol === "https:" ? https.request : http.request,
      options: { ...authority, method: request.method, headers: { ...headers, host: target.host } },
      target,
    };
  };

  function proxy(request: IncomingMessage, response: ServerResponse): void {
    proxied.push(`${request.method} ${request.url?.slice(proxyPrefix.length - 1)}`);
    const { request: ask, options, target } = toCollector(request);
    const outgoing = ask(target, options, (answer) => {
      if (answer.statusCode === 401) {
        answer.resume();
        response.statusCode = 400;
        return void response.end("Authentication to data source failed");
      }
      const { "set-cookie": _cookies, ...headers } = answer.headers;
      response.writeHead(answer.statusCode ?? 502, headers);
      answer.pipe(response);
    });
    outgoing.on("error", () => {
      if (!response.headersSent) response.statusCode = 502;
      response.end();
    });
    request.pipe(outgoing);
  }

  const server = http.createServer((request, response) => {
    const url = (request.url ?? "/").split("?", 1)[0] ?? "/";
    if (url.startsWith(proxyPrefix)) return proxy(request, response);
    if (url === "/api/frontend/settings/lynceus") {
      const { secureJsonFields: _fields, ...rest } = shown();
      return json(response, {
        ...rest,
        url: proxyPrefix.slice(0, -1),
        meta: { ...plugin, baseUrl: `public/plugins/${plugin.id}`, module: "" },
        readOnly: false,
      });
    }
    if (url === "/api/datasources/uid/lynceus") {
      if (request.method !== "PUT") return json(response, shown());
      const chunks: Buffer[] = [];
      request.on("data", (chunk) => chunks.push(chunk));
      request.on("end", () => {
        const given = JSON.parse(Buffer.concat(chunks).toString("utf8"));
        stored.url = given.url;
        stored.jsonData = given.jsonData;
        for (const [name, value] of Object.entries<string>(given.secureJsonData ?? {}))
          if (value === "") delete stored.secrets[name];
          else stored.secrets[name] = value;
        json(response, shown());
      });
      return;
    }
    if (sendFile(url, response)) return;
    if (/^\/(config|explore|variable|annotation|d\/\w+)$/.test(url)) {
      response.setHeader("content-type", "text/html");
      return void response.end(page);
    }
    response.statusCode = 404;
    response.end();
  });

  const sockets = new Set<Duplex>();
  server.on("upgrade", (request: IncomingMessage, socket: Duplex, head: Buffer) => {
    sockets.add(socket);
    socket.on("error", () => {}).on("close", () => sockets.delete(socket));
    proxied.push(`UPGRADE ${request.url?.slice(proxyPrefix.length - 1)}`);
    if (!request.url?.startsWith(proxyPrefix)) return void socket.end("HTTP/1.1 404 Not Found\r\n\r\n");
    const { request: ask, options, target } = toCollector(request);
    const outgoing = ask(target, options);
    outgoing.on("upgrade", (answer, upstream: Duplex, first: Buffer) => {
      const lines = Object.entries(answer.headers).map(([name, value]) => `${name}: ${value}\r\n`);
      socket.write(`HTTP/1.1 101 Switching Protocols\r\n${lines.join("")}\r\n`);
      socket.write(first);
      upstream.write(head);
      sockets.add(upstream);
      upstream.on("error", () => socket.destroy()).on("close", () => sockets.delete(upstream));
      upstream.pipe(socket).pipe(upstream);
    });
    outgoing.on("response", ({ statusCode }) => socket.end(`HTTP/1.1 ${statusCode} Refused\r\n\r\n`));
    outgoing.on("error", () => socket.end("HTTP/1.1 502 Bad Gateway\r\n\r\n"));
    outgoing.end();
  });
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));

  return {
    url: `http://127.0.0.1:${(server.address() as AddressInfo).port}`,
    proxied,
    stored,
    async stop(): Promise<void> {
      for (const socket of sockets) socket.destroy();
      server.closeAllConnections();
      await new Promise((resolve) => server.close(resolve));
    },
  };
}
export type Grafana = Awaited<ReturnType<typeof startGrafana>>;
