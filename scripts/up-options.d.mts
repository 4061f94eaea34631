export interface UpTargets {
  ews: string[];
  smtpDomains: string[];
  sipDomains: string[];
  lyncWeb: string[];
  control: string | null;
  controlHttps: string | null;
  requiresProxy: boolean;
}
export interface UpOptions {
  help: boolean;
  /** Null: the dashboard's first page asks. */
  targets: UpTargets | null;
  port: number;
  collectorPort: number;
  publicName: string | null;
  dataDir: string;
  proxySettings: string | null;
  /** Simulated machines; 0 = none. */
  demo: number;
  agent: boolean;
  databaseUrl: string | null;
}
export const help: string;
export function parseUpOptions(
  argv: string[],
  context: { cwd: string; root: string; env: Record<string, string | undefined> },
): UpOptions;
