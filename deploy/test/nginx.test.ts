import { execFileSync } from "node:child_process";
import { createHash, X509Certificate } from "node:crypto";
import { mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { request } from "node:https";
import { tmpdir } from "node:os";
import path from "node:path";
import { createToken } from "@lynceus/db/enrollment";
import { noteIncident } from "@lynceus/db/incident-acts";
import { wholeFleet } from "@lynceus/db/scope";
import { seedParts } from "@lynceus/db/testing-parts";
import { issueCertificate, makeAuthority } from "@lynceus/testkit/certificates";
import { closedPort } from "@lynceus/testkit/listening";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { type RunningCollector, startBuiltCollector } from "./support/collector.ts";
import { inDeploy, type Program, root, startProgram } from "./support/program.ts";

const directory = mkdtempSync(path.join(tmpdir(), "lynceus-nginx-"));
let collector: RunningCollector;
let nginx: Program;
let port: number;
let ca: string;
let pin: string;

beforeAll(async () => {
  collector = await startBuiltCollector(["--plain"]);
  port = await closedPort();
  const authority = await makeAuthority();
  const leaf = await issueCertificate(authority, {
    names: ["lynceus.example.org", "collector.example.org", "localhost"],
  });
  ca = authority.pem;
  pin = createHash("sha256")
    .update(new X509Certificate(ca).publicKey.export({ type: "spki", format: "der" }))
    .digest("hex");
  mkdirSync(path.join(directory, "temp"));
  // A pin is an authority's: the chain has to end with it.
  writeFileSync(path.join(directory, "leaf.pem"), `${leaf.cert}\n${ca}`);
  writeFileSync(path.join(directory, "leaf.key"), leaf.key, { mode: 0o600 });
  // The file that the documentation hands out, with the places of this test.
  const ours = readFileSync(inDeploy("nginx/lynceus.conf"), "utf8")
    .replaceAll(/\/etc\/ssl\/lynceus\/\w+\.pem/g, path.join(directory, "leaf.pem"))
    .replaceAll(/\/etc\/ssl\/lynceus\/\w+\.key/g, path.join(directory, "leaf.key"))
    .replaceAll("listen 443 ssl", `listen 127.0.0.1:${port} ssl`)
    .replaceAll("server_name collector.example.org", "server_name collector.example.org localhost")
    .replace("127.0.0.1:7443", `127.0.0.1:${collector.port}`);
  const temporary = ["client_body", "proxy", "fastcgi", "uwsgi", "scgi"].map(
    (name) => `${name}_temp_path ${directory}/temp/${name};`,
  );
  writeFileSync(
    path.join(directory, "nginx.conf"),
    `daemon off; pid ${directory}/nginx.pid; error_log stderr notice; ${process.getuid?.() === 0 ? "user root;" : ""}
     events {} http { access_log off; ${temporary.join(" ")} ${ours} }`,
  );
  execFileSync("nginx", ["-t", "-q", "-c", path.join(directory, "nginx.conf"), "-p", directory, "-e", "stderr"]);
  nginx = startProgram("nginx", ["-c", path.join(directory, "nginx.conf"), "-p", directory, "-e", "stderr"], {
    debian: "nginx",
  });
  await nginx.line(/start worker process \d+/);
});
afterAll(async () => {
  await nginx?.stop("SIGTERM");
  await collector?.stop();
  rmSync(directory, { recursive: true, force: true });
});

/** Asks the collector through nginx; `until` ends it at what was heard. */
function ask(target: string, until?: (text: string) => boolean): Promise<{ status: number; text: string }> {
  return new Promise((resolve, reject) => {
    const asked = request(
      {
        host: "127.0.0.1",
        port,
        servername: "collector.example.org",
        ca,
        path: target,
        headers: { host: "collector.example.org", authorization: `Bearer ${collector.token}` },
      },
      (response) => {
        let text = "";
        const done = () => resolve({ status: response.statusCode ?? 0, text });
        response.on("data", (chunk: Buffer) => {
          text += chunk.toString();
          if (!until?.(text)) return;
          done();
          asked.destroy();
        });
        response.on("end", done);
      },
    );
    asked.on("error", reject);
    asked.end();
  });
}

describe("a collector behind nginx", () => {
  it("answers the API, and shows its metrics to nobody outside", async () => {
    expect((await ask("/readyz")).status).toBe(200);
    expect((await ask("/api/v1/counts")).status).toBe(200);
    expect((await ask("/metrics")).status).toBe(404);
  });

  it("tells watchers at once: no event waits in a buffer", async () => {
    const fleet = wholeFleet(collector.db);
    const parts = await seedParts(fleet, new Date());
    let noted: Promise<unknown> | null = null;
    const { text } = await ask("/api/v1/events?changes=false&after=0", (heard) => {
      // The stream is open: now something happens.
      noted ??= noteIncident(fleet, Number(parts.BERN.incident), {
        actor: "test",
        now: new Date(),
        text: "said through nginx",
      });
      return heard.includes("said through nginx");
    });
    await noted;
    expect(text).toContain("event: incident");
  });

  it("has agents connected by WebSocket, who verify nginx by their pin", async () => {
    const { secret } = await createToken(wholeFleet(collector.db), {
      maxUses: 1,
      expiresAt: new Date(Date.now() + 3_600_000),
      createdBy: "test",
    });
    const token = `lyn1.${Buffer.from(JSON.stringify({ u: `wss://localhost:${port}`, s: secret, p: pin })).toString("base64url")}`;
    const agent = startProgram(process.execPath, [
      path.join(root, "apps/agent/dist/main.js"),
      "run",
      ...["--data-dir", path.join(directory, "agent"), "--allowed-suffixes", "example.org", "--token", token],
    ]);
    try {
      await expect
        .poll(
          async () =>
            (
              await collector.db.prisma.$queryRawUnsafe<{ count: number }[]>(
                "SELECT count(*)::int AS count FROM machines WHERE connected_to IS NOT NULL",
              )
            )[0]?.count,
          { timeout: 60_000 },
        )
        .toBe(1);
    } finally {
      await agent.stop();
    }
  });
});
