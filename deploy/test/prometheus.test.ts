import { execFileSync } from "node:child_process";
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import path from "node:path";
import { closedPort } from "@lynceus/testkit/listening";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { type RunningCollector, startBuiltCollector } from "./support/collector.ts";
import { inDeploy, type Program, startProgram } from "./support/program.ts";

const promtool = (...args: string[]) => execFileSync("promtool", args, { encoding: "utf8" });

describe("the rules", () => {
  it("are what promtool takes", () => {
    expect(promtool("check", "rules", inDeploy("prometheus/lynceus.rules.yml"))).toContain("SUCCESS");
  });

  it("fire when they should and not before", () => {
    expect(promtool("test", "rules", inDeploy("prometheus/lynceus.rules.test.yml"))).toContain("SUCCESS");
  });
});

describe("Debian's Prometheus with the example's configuration", () => {
  let collector: RunningCollector;
  let prometheus: Program;
  let directory: string;
  let address: string;

  async function ask<T>(route: string): Promise<T> {
    const answer = await fetch(`${address}/api/v1/${route}`);
    return ((await answer.json()) as { data: T }).data;
  }
  const value = async (query: string): Promise<number | null> => {
    const { result } = await ask<{ result: { value: [number, string] }[] }>(`query?query=${encodeURIComponent(query)}`);
    return result[0] ? Number(result[0].value[1]) : null;
  };

  beforeAll(async () => {
    collector = await startBuiltCollector();
    directory = mkdtempSync(path.join(tmpdir(), "lynceus-prometheus-"));
    writeFileSync(path.join(directory, "lynceus.token"), collector.token);
    const example = readFileSync(inDeploy("prometheus/prometheus.yml"), "utf8");
    const config = example
      .replaceAll("/etc/prometheus/lynceus.token", path.join(directory, "lynceus.token"))
      .replaceAll("/etc/prometheus/lynceus-ca.pem", collector.caFile)
      .replaceAll("/etc/prometheus/lynceus.rules.yml", inDeploy("prometheus/lynceus.rules.yml"))
      .replace("collector.example.org:7443", `localhost:${collector.port}`)
      .replace("scrape_interval: 30s", "scrape_interval: 1s");
    writeFileSync(path.join(directory, "prometheus.yml"), config);
    const port = await closedPort();
    address = `http://127.0.0.1:${port}`;
    prometheus = startProgram(
      "/usr/bin/prometheus",
      [
        `--config.file=${path.join(directory, "prometheus.yml")}`,
        `--storage.tsdb.path=${path.join(directory, "data")}`,
        `--web.listen-address=127.0.0.1:${port}`,
      ],
      { debian: "prometheus" },
    );
    await prometheus.line(/Server is ready to receive web requests/);
  });
  afterAll(async () => {
    await prometheus?.stop();
    await collector?.stop();
    if (directory) rmSync(directory, { recursive: true, force: true });
  });

  it("scrapes the collector by TLS and token", async () => {
    await expect.poll(() => value('up{job="lynceus"}'), { timeout: 60_000 }).toBe(1);
    expect(await value("lynceus_build_info")).toBe(1);
    expect(await value("lynceus_database_up")).toBe(1);
    expect(await value("sum(lynceus_machines)")).toBe(0);
    const remaining = await value("lynceus_certificate_expiry_timestamp_seconds - time()");
    expect(remaining).toBeGreaterThan(300 * 86_400);
  });

  it("reads every line of it, with its types", async () => {
    const { activeTargets } = await ask<{ activeTargets: { lastError: string; health: string }[] }>("targets");
    expect(activeTargets).toMatchObject([{ health: "up", lastError: "" }]);
    const metadata = await ask<Record<string, { type: string }[]>>("metadata");
    expect(metadata.lynceus_observations?.[0]?.type ?? metadata.lynceus_observations_total?.[0]?.type).toBe("counter");
    expect(metadata.lynceus_commit_seconds?.[0]?.type).toBe("histogram");
    expect(metadata.lynceus_site_machines?.[0]?.type).toBe("gauge");
  });

  it("loads the rules and evaluates them without an error", async () => {
    const { groups } = await ask<{ groups: { name: string; rules: { health: string; lastError?: string }[] }[] }>(
      "rules",
    );
    expect(groups.map(({ name }) => name)).toEqual(["lynceus-figures", "lynceus-fleet", "lynceus-itself"]);
    expect(groups.flatMap(({ rules }) => rules).filter(({ lastError }) => lastError)).toEqual([]);
  });

  it("is refused without the token", async () => {
    const status = execFileSync(
      "curl",
      [
        "-s",
        "-o",
        "/dev/null",
        "-w",
        "%{http_code}",
        "--cacert",
        collector.caFile,
        `https://localhost:${collector.port}/metrics`,
      ],
      { encoding: "utf8" },
    );
    expect(status).toBe("401");
  });
});
