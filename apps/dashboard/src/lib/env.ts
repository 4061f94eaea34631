import { type KeyRing, parseKeyRing } from "@lynceus/notify/key-ring";
import { isLoopbackHost } from "./hosts.ts";

/** What the process was started with. Read when first asked, never at build time. */
export interface Environment {
  databaseUrl: string;
  /** Where people open the dashboard. */
  publicUrl: URL;
  /** Signs session cookies; 32 characters or more. */
  authSecret: string;
  /** `wss://` address that agents use; null when this installation has none to offer. */
  collectorUrl: string | null;
  /** SHA-256 of the collector's authority key, hex; null when a public or company authority signed it. */
  collectorPin: string | null;
  /**
   * The installation's secret keys, the same that the collectors have: they seal receivers' secrets and sign acknowledge
   * links. Null where none are given: then secrets cannot be set here, and links are not believed.
   */
  secretKeys: KeyRing | null;
  /** Cookies carry `Secure`: always, but for plain HTTP on loopback. */
  secureCookies: boolean;
  /** Tests alone: servers may be found on loopback. */
  discoverOnLoopback: boolean;
  /** Tests alone, with the above: the DNS servers to ask; null for this machine's own. */
  discoveryServers: string[] | null;
}

/** Reads and checks the environment. Throws an Error of one line that names the variable, the rule and an example. */
export function readEnvironment(env: Readonly<Record<string, string | undefined>>): Environment {
  const databaseUrl = env.DATABASE_URL;
  if (!databaseUrl)
    throw new Error("DATABASE_URL is not set; use e.g. postgresql://lynceus:secret@db.example.org:5432/lynceus");
  const authSecret = env.BETTER_AUTH_SECRET ?? "";
  if (authSecret.length < 32)
    throw new Error(
      `BETTER_AUTH_SECRET has ${authSecret.length} characters, 32 or more are needed; use e.g. the output of: openssl rand -base64 32`,
    );
  const address = env.LYNCEUS_PUBLIC_URL ?? `http://127.0.0.1:${env.PORT ?? "3000"}`;
  if (!URL.canParse(address))
    throw new Error(`LYNCEUS_PUBLIC_URL "${address}" is no address; use e.g. https://lynceus.example.org`);
  const publicUrl = new URL(address);
  if (publicUrl.protocol !== "https:" && publicUrl.protocol !== "http:")
    throw new Error(`LYNCEUS_PUBLIC_URL "${address}" is neither http nor https; use e.g. https://lynceus.example.org`);
  return {
    databaseUrl,
    publicUrl,
    authSecret,
    collectorUrl: env.LYNCEUS_COLLECTOR_URL || null,
    collectorPin: env.LYNCEUS_COLLECTOR_PIN || null,
    secretKeys: env.LYNCEUS_SECRET_KEY ? parseKeyRing(env.LYNCEUS_SECRET_KEY) : null,
    secureCookies: publicUrl.protocol === "https:" || !isLoopbackHost(publicUrl.hostname),
    discoverOnLoopback: env.LYNCEUS_DISCOVERY_ALLOW_LOOPBACK === "1",
    discoveryServers:
      env.LYNCEUS_DISCOVERY_ALLOW_LOOPBACK === "1" && env.LYNCEUS_DISCOVERY_DNS
        ? env.LYNCEUS_DISCOVERY_DNS.split(",")
        : null,
  };
}

let read: Environment | undefined;

/** This process's environment. */
export function environment(): Environment {
  read ??= readEnvironment(process.env);
  return read;
}
