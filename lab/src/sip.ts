import { writeFileSync } from "node:fs";
import path from "node:path";
import { type CertificateFiles, issue } from "./certificates.ts";
import { address } from "./network.ts";
import { type Daemon, startDaemon } from "./shell.ts";

export interface SipServer {
  start(): void;
  stop(): Promise<void>;
}

/** Kamailio as the Lync pool's SIP service: 5061 over TLS, and 5060, which nothing needs. One TCP process: its TLS state is not safe among several. */
export function startSip(namespace: string, directory: string, authority: CertificateFiles): SipServer {
  const certificate = issue(directory, authority, "sip", ["sip.contoso.test", "sipinternal.contoso.test"]);
  const tlsFile = path.join(directory, "tls.cfg");
  writeFileSync(
    tlsFile,
    `[server:default]\nmethod = TLSv1.2+\nverify_certificate = no\nrequire_certificate = no\nprivate_key = ${certificate.key}\ncertificate = ${certificate.cert}\n`,
  );
  const file = path.join(directory, "kamailio.cfg");
  writeFileSync(
    file,
    `#!KAMAILIO
debug=1
log_stderror=yes
fork=yes
children=1
tcp_children=1
tcp_max_connections=2048
tcp_connection_lifetime=5
enable_tls=yes
auto_aliases=no
listen=tcp:${address.sip}:5060
listen=tls:${address.sip}:5061
loadmodule "sl.so"
loadmodule "tls.so"
modparam("tls", "config", "${tlsFile}")
request_route { sl_send_reply("404", "Not here"); }
`,
  );
  let daemon: Daemon | null = null;
  const launch = () => {
    const launched = startDaemon(namespace, path.join(directory, "kamailio.log"), "kamailio", [
      "-f",
      file,
      "-DD",
      "-m",
      "128",
      "-M",
      "16",
      "-Y",
      directory,
    ]);
    daemon = launched;
    // Debian's kamailio 5.6 frees twice inside OpenSSL 3 now and then, and ends: started again, as a service manager would.
    launched.process.once("close", () => {
      if (daemon === launched) setTimeout(() => daemon === launched && launch(), 300);
    });
  };
  const server = {
    start() {
      if (!daemon) launch();
    },
    async stop() {
      const stopped = daemon;
      daemon = null;
      await stopped?.stop();
    },
  };
  server.start();
  return server;
}
