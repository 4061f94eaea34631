import { type ChildProcess, spawn } from "node:child_process";
import { existsSync, mkdirSync, writeFileSync } from "node:fs";
import path from "node:path";
import { stopChild } from "../installation.ts";

const executable = "/usr/bin/prometheus-alertmanager";

/** One alert of one machine, as a rule over blackbox probes has it. */
export interface Alert {
  readonly alertname: string;
  readonly instance: string;
  readonly site: string;
  readonly service: string;
}

export interface Alertmanager {
  push(alerts: readonly Alert[]): Promise<void>;
  stop(): Promise<void>;
}

/**
 * Debian's Alertmanager with its own defaults (group_wait 30 s, group_interval 5 min), which tells each webhook of groups by
 * these labels.
 */
export async function startAlertmanager(
  directory: string,
  port: number,
  groupings: readonly { readonly by: readonly string[]; readonly webhook: string }[],
): Promise<Alertmanager> {
  if (!existsSync(executable))
    throw new Error(`${executable} is not there; install the Debian package: apt-get install prometheus-alertmanager`);
  const home = path.join(directory, "alertmanager");
  mkdirSync(home);
  const names = groupings.map(({ by }) => by.join("-"));
  const config = `route:
  receiver: ${names[0]}
  routes:
${groupings.map(({ by }, index) => `    - { receiver: ${names[index]}, group_by: [${by.join(", ")}], continue: true }`).join("\n")}
receivers:
${groupings.map(({ webhook }, index) => `  - { name: ${names[index]}, webhook_configs: [{ url: ${webhook} }] }`).join("\n")}
`;
  writeFileSync(path.join(home, "alertmanager.yml"), config);
  const child: ChildProcess = spawn(
    executable,
    [
      `--config.file=${path.join(home, "alertmanager.yml")}`,
      `--storage.path=${path.join(home, "data")}`,
      `--web.listen-address=127.0.0.1:${port}`,
      "--cluster.listen-address=",
    ],
    { stdio: ["ignore", "ignore", "pipe"] },
  );
  let said = "";
  await new Promise<void>((resolve, reject) => {
    child.stderr?.setEncoding("utf8").on("data", (text: string) => {
      said += text;
      if (said.includes("Listening on")) resolve();
    });
    child.once("exit", () => reject(new Error(`Alertmanager ended: ${said.slice(-2000)}`)));
  });
  return {
    async push(alerts) {
      const response = await fetch(`http://127.0.0.1:${port}/api/v2/alerts`, {
        method: "POST",
        headers: { "content-type": "application/json" },
        body: JSON.stringify(
          alerts.map((labels) => ({ labels, annotations: { summary: `${labels.instance} cannot reach EWS` } })),
        ),
      });
      if (!response.ok) throw new Error(`Alertmanager refused alerts: ${response.status} ${await response.text()}`);
    },
    stop: () => stopChild(child),
  };
}
