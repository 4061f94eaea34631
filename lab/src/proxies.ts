import { chmodSync, chownSync, copyFileSync, mkdirSync, readFileSync, writeFileSync } from "node:fs";
import path from "node:path";
import type { CertificateFiles } from "./certificates.ts";
import { address } from "./network.ts";
import { type Daemon, run, startDaemon } from "./shell.ts";

/** Ports of px1.contoso.test, one squid each where the rules differ for good. Nothing listens on `dead`. */
export const proxyPort = {
  open: 8080,
  denying: 8081,
  basic: 8082,
  ntlm: 8083,
  intercepting: 8084,
  broken: 8085,
  dead: 8099,
} as const;

const helpers = "/usr/lib/squid";
const allow = "http_access allow all";

function rules(name: keyof typeof proxyPort, directory: string): string {
  switch (name) {
    case "denying":
      return `acl exchange dstdomain mail.contoso.test autodiscover.contoso.test\nhttp_access deny exchange\n${allow}`;
    case "basic":
      return `auth_param basic program ${helpers}/basic_fake_auth\nauth_param basic realm px1\nacl signed_in proxy_auth REQUIRED\nacl exchange dstdomain mail.contoso.test autodiscover.contoso.test\nhttp_access allow !exchange\nhttp_access allow signed_in\nhttp_access deny all`;
    case "ntlm":
      return `auth_param ntlm program ${helpers}/ntlm_fake_auth\nacl signed_in proxy_auth REQUIRED\nacl exchange dstdomain mail.contoso.test autodiscover.contoso.test\nhttp_access allow !exchange\nhttp_access allow signed_in\nhttp_access deny all`;
    case "intercepting":
      return `sslcrtd_program ${helpers}/security_file_certgen -s ${directory}/certificates-made -M 4MB\nsslcrtd_children 2\nacl step1 at_step SslBump1\nssl_bump peek step1\nssl_bump bump all\nsslproxy_cert_error allow all\ntls_outgoing_options flags=DONT_VERIFY_PEER\n${allow}`;
    case "broken":
      // Cannot reach the internal network: every tunnel to Exchange ends at a parent that is not there.
      return `cache_peer 127.0.0.1 parent 9 0 no-query default\nacl exchange dstdomain .contoso.test\nnever_direct allow exchange\n${allow}`;
    default:
      return allow;
  }
}

type Running = Exclude<keyof typeof proxyPort, "dead">;

export interface Proxies {
  /** Ends one proxy, as a crash would. */
  end(name: Running): Promise<void>;
  /** Starts one again that was ended. */
  start(name: Running): void;
  stop(): Promise<void>;
}

/** Starts the proxies that really run; `interceptor` signs what the intercepting one makes up. */
export function startProxies(namespace: string, directory: string, interceptor: CertificateFiles): Proxies {
  const [user, group] = ["-u", "-g"].map((flag) => Number(run("id", flag, "proxy")));
  const own = (target: string) => chownSync(target, user ?? 0, group ?? 0);
  const daemons = new Map<Running, Daemon>();
  const launch = (name: Running) => {
    const home = path.join(directory, name);
    const args = ["-N", "-f", path.join(home, "squid.conf"), "-n", `lab${name}`];
    daemons.set(name, startDaemon(namespace, path.join(home, "squid.log"), "squid", args));
  };
  for (const name of ["open", "denying", "basic", "ntlm", "intercepting", "broken"] as const) {
    const home = path.join(directory, name);
    mkdirSync(home, { recursive: true });
    own(home);
    let port = `http_port ${address.proxies}:${proxyPort[name]}`;
    if (name === "intercepting") {
      const pem = path.join(home, "interceptor.pem");
      copyFileSync(interceptor.cert, pem);
      writeFileSync(pem, readFileSync(interceptor.cert, "utf8") + readFileSync(interceptor.key, "utf8"));
      own(pem);
      chmodSync(pem, 0o600);
      run(`${helpers}/security_file_certgen`, "-c", "-s", `${home}/certificates-made`, "-M", "4MB");
      run("chown", "-R", "proxy:proxy", `${home}/certificates-made`);
      port += ` ssl-bump tls-cert=${pem} generate-host-certificates=on dynamic_cert_mem_cache_size=4MB`;
    }
    const file = path.join(home, "squid.conf");
    writeFileSync(
      file,
      `${port}
visible_hostname px1.contoso.test
dns_nameservers ${address.dns}
pid_filename none
cache deny all
access_log none
cache_log ${home}/cache.log
coredump_dir ${home}
pinger_enable off
shutdown_lifetime 0 seconds
connect_timeout 2 seconds
forward_timeout 3 seconds
netdb_filename none
max_filedescriptors 1024
${rules(name, home)}
`,
    );
    launch(name);
  }
  return {
    async end(name) {
      await daemons.get(name)?.stop();
      daemons.delete(name);
    },
    start(name) {
      if (!daemons.has(name)) launch(name);
    },
    async stop() {
      await Promise.all([...daemons.values()].map((daemon) => daemon.stop()));
    },
  };
}
