import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import path from "node:path";
import type { Policy } from "@lynceus/protocol/policy";
import { buildPolicy } from "@lynceus/protocol/presets";
import { issueCertificate, makeAuthority } from "@lynceus/testkit/certificates";
import { type ExchangeOptions, exchangeAnswers } from "@lynceus/testkit/exchange";
import { forwardProxy } from "@lynceus/testkit/forward-proxy";
import { httpServer } from "@lynceus/testkit/http-server";

/** Real servers on loopback: an Exchange front end, a control page, and a proxy that lets this machine through to both. */
export interface Network {
  /** As given to `--ews`. */
  ews: string;
  /** As given to `--control`. */
  control: string;
  /** `--proxy-settings`: everything through the proxy, `localhost` too. */
  proxySettings: string;
  /** PEM of the authority that signed Exchange's certificate. */
  authority: string;
  /** What probing these servers, and nothing else, asks for. */
  policy(version: number): Policy;
  exchange(mode: NonNullable<ExchangeOptions["mode"]>): void;
  close(): Promise<void>;
}

export async function startNetwork(): Promise<Network> {
  const directory = mkdtempSync(path.join(tmpdir(), "lynceus-e2e-"));
  const authority = await makeAuthority();
  let mode: NonNullable<ExchangeOptions["mode"]> = "up";
  const exchange = await httpServer(
    (request, response) => exchangeAnswers({ mode })(request, response),
    await issueCertificate(authority, { names: ["localhost"] }),
  );
  const page = await httpServer((_request, response) => {
    response.writeHead(200, { "content-type": "text/plain" });
    response.end("Microsoft Connect Test");
  });
  const proxy = await forwardProxy();
  const write = (name: string, text: string) => {
    const file = path.join(directory, name);
    writeFileSync(file, text);
    return file;
  };
  const ews = `localhost:${exchange.port}`;
  const control = `http://localhost:${page.port}/connecttest.txt`;
  return {
    ews,
    control,
    proxySettings: write(
      "proxy-settings.json",
      JSON.stringify({
        AutoDetect: 0,
        ProxyEnable: 1,
        ProxyServer: `127.0.0.1:${proxy.port}`,
        ProxyOverride: "<-loopback>",
      }),
    ),
    authority: write("authority.pem", authority.pem),
    policy: (version) => ({
      ...buildPolicy(
        { ews: [ews], smtpDomains: ["localhost"], sipDomains: [], control, controlHttps: ews, port: exchange.port },
        version,
      ),
      // One host is all of them here: their shares of its budget would take minutes.
      minSecondsPerHost: 0,
    }),
    exchange: (next) => {
      mode = next;
    },
    close: async () => {
      await Promise.all([exchange.close(), page.close(), proxy.close()]);
      rmSync(directory, { recursive: true, force: true });
    },
  };
}
