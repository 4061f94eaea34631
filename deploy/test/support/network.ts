import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import path from "node:path";
import { buildPolicy } from "@lynceus/protocol/presets";
import { issueCertificate, makeAuthority } from "@lynceus/testkit/certificates";
import { exchangeAnswers } from "@lynceus/testkit/exchange";
import { httpServer } from "@lynceus/testkit/http-server";

/** What an agent of a test finds: an Exchange front end, a control page, and the authority that its machine trusts. */
export async function startNetwork() {
  const directory = mkdtempSync(path.join(tmpdir(), "lynceus-network-"));
  const authority = await makeAuthority();
  const caFile = path.join(directory, "ca.pem");
  writeFileSync(caFile, authority.pem);
  let mode: "up" | "stopped" = "up";
  const exchange = await httpServer(
    (request, response) => exchangeAnswers({ mode })(request, response),
    await issueCertificate(authority, { names: ["127.0.0.1"], notAfter: new Date("2100-01-01T00:00:00Z") }),
  );
  const control = await httpServer((_request, response) => response.end("Microsoft Connect Test"));
  return {
    /** Exchange goes, and comes back. */
    become(next: "up" | "stopped") {
      mode = next;
    },
    /** `domains`: of mail and sign-in, whose names nobody has. */
    policy: (version: number, domains: readonly string[] = []) =>
      buildPolicy(
        {
          ews: [`127.0.0.1:${exchange.port}`],
          smtpDomains: domains,
          sipDomains: domains,
          control: `http://127.0.0.1:${control.port}/connecttest.txt`,
          controlHttps: `127.0.0.1:${exchange.port}`,
        },
        version,
      ),
    /** The fence of an agent that may probe here, and the store that it believes. */
    options: ["--allowed-suffixes", "127.0.0.1,example.org", "--allowed-ports", `${exchange.port},${control.port}`],
    environment: { SSL_CERT_FILE: caFile },
    async stop(): Promise<void> {
      await exchange.close();
      await control.close();
      rmSync(directory, { recursive: true, force: true });
    },
  };
}
