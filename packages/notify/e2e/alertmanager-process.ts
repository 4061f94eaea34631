import { spawn } from "node:child_process";
import { once } from "node:events";
import { existsSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import path from "node:path";
import { closedPort } from "@lynceus/testkit/listening";

const executable = "/usr/bin/prometheus-alertmanager";

/** An alert as its API gives it, as far as tests look. */
export interface ActiveAlert {
  readonly labels: Record<string, string>;
  readonly annotations: Record<string, string>;
}

export interface Alertmanager {
  readonly origin: string;
  /** The alerts that it knows and that have not ended. */
  alerts(): Promise<ActiveAlert[]>;
  close(): Promise<void>;
}

/**
 * Debian's Alertmanager, which tells of each group at once at `webhook`.
 * @param login a user and the bcrypt hash of the password, where one is asked for
 */
export async function startAlertmanager(
  webhook: string,
  login?: { readonly user: string; readonly password: string; readonly bcrypt: string },
): Promise<Alertmanager> {
  if (!existsSync(executable))
    throw new Error(`${executable} is not there; install the Debian package: apt-get install prometheus-alertmanager`);
  const directory = mkdtempSync(path.join(tmpdir(), "lynceus-alertmanager-"));
  const write = (name: string, text: string) => {
    const file = path.join(directory, name);
    writeFileSync(file, text);
    return file;
  };
  const config = write(
    "alertmanager.yml",
    `route:
  receiver: page
  group_by: ["..."]
  group_wait: 1ms
  group_interval: 1s
  repeat_interval: 1h
receivers:
  - name: page
    webhook_configs:
      - url: ${webhook}
        send_resolved: true
`,
  );
  const web = login
    ? [`--web.config.file=${write("web.yml", `basic_auth_users:\n  ${login.user}: ${login.bcrypt}\n`)}`]
    : [];
  const origin = `http://127.0.0.1:${await closedPort()}`;
  const child = spawn(
    executable,
    [
      `--config.file=${config}`,
      `--storage.path=${path.join(directory, "data")}`,
      `--web.listen-address=${origin.slice("http://".length)}`,
      "--cluster.listen-address=",
      ...web,
    ],
    { stdio: ["ignore", "ignore", "pipe"] },
  );
  const said: string[] = [];
  child.stderr.setEncoding("utf8").on("data", (text: string) => said.push(text));
  const ended = once(child, "exit");
  const close = async () => {
    child.kill();
    await ended;
    rmSync(directory, { recursive: true, force: true });
  };
  // It logs that it listens as soon as it does.
  const listening = new Promise<void>((resolve) => {
    child.stderr.on("data", () => {
      if (said.join("").includes("Listening on")) resolve();
    });
  });
  await Promise.race([
    listening,
    ended.then(() => {
      throw new Error(`Alertmanager ended: ${said.join("").slice(-2000)}`);
    }),
  ]);
  const headers = login
    ? { authorization: `Basic ${Buffer.from(`${login.user}:${login.password}`).toString("base64")}` }
    : {};
  return {
    origin,
    close,
    alerts: async () => (await (await fetch(`${origin}/api/v2/alerts`, { headers })).json()) as ActiveAlert[],
  };
}
