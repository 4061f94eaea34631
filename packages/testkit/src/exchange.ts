import type { ServerCertificate } from "./certificates.ts";
import { type Handler, type HttpServer, httpServer } from "./http-server.ts";

export interface ExchangeOptions {
  readonly certificate: ServerCertificate;
  /** `up` answers as a healthy front end; the others as domain.md 3.1 and 3.3 have it. */
  readonly mode?: "up" | "basic-only" | "stopped" | "form" | "web-site" | "hang";
  readonly serverName?: string;
}

const bearer =
  'Bearer client_id="00000002-0000-0ff1-ce00-000000000000", trusted_issuers="00000004-0000-0ff1-ce00-000000000000@contoso.com", token_types="app_asserted_user_v1 service_asserted_app_v1", error="invalid_token"';

/** Answers as an Exchange front end does to a caller without credentials (domain.md 3.1). */
export function exchangeAnswers({ mode = "up", serverName = "EX03" }: Omit<ExchangeOptions, "certificate">): Handler {
  return (request, response) => {
    const path = (request.url ?? "/").toLowerCase();
    if (mode === "hang") return;
    if (mode === "stopped") {
      response.writeHead(503, { Server: "Microsoft-HTTPAPI/2.0", "Content-Type": "text/html" });
      return void response.end("<h2>Service Unavailable</h2>");
    }
    if (mode === "form") {
      response.writeHead(302, { Location: "https://mail.contoso.com/owa/auth/logon.aspx?url=secret&reason=0" });
      return void response.end();
    }
    if (mode === "web-site") {
      response.writeHead(200, { Server: "nginx", "Content-Type": "text/html; charset=utf-8" });
      return void response.end("<!doctype html><title>Contoso - Home</title><p>Welcome");
    }
    if (path.endsWith("/healthcheck.htm")) {
      response.writeHead(200, { "Content-Type": "text/html", "X-FEServer": serverName });
      return void response.end(`200 OK<br/>${serverName}.contoso.com`);
    }
    const known = /^\/(ews|autodiscover|mapi|oab)\b/.test(path);
    const challenges =
      mode === "basic-only"
        ? ['Basic realm="mail.contoso.com"']
        : path.startsWith("/autodiscover")
          ? ["Negotiate", "NTLM", 'Basic realm="autodiscover.contoso.com"']
          : ["Negotiate", "NTLM", bearer];
    response.writeHead(known ? 401 : 404, {
      Server: "Microsoft-IIS/10.0",
      "request-id": "0f6592d3-9b8c-4a8e-9c55-6a1c2f3e4d5b",
      "X-FEServer": serverName,
      "X-Powered-By": "ASP.NET",
      "X-Internal-Secret": "must not leave the machine",
      "Set-Cookie": ["ClientId=ABCDEF; path=/", "X-BackEndCookie=secret; HttpOnly"],
      ...(known ? { "WWW-Authenticate": challenges } : {}),
    });
    response.end();
  };
}

/** A front end of Exchange on https. */
export const exchangeServer = (options: ExchangeOptions): Promise<HttpServer> =>
  httpServer(exchangeAnswers(options), options.certificate);
