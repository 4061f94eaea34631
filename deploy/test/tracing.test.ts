import { cpSync, mkdtempSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import path from "node:path";
import { createTestDatabase } from "@lynceus/db/testing";
import { closedPort } from "@lynceus/testkit/listening";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { startBuiltCollector } from "./support/collector.ts";
import { attributeOf, otlpReceiver } from "./support/otlp-receiver.ts";
import { root, startProgram } from "./support/program.ts";

let receiver: Awaited<ReturnType<typeof otlpReceiver>>;
beforeAll(async () => {
  receiver = await otlpReceiver();
});
afterAll(() => receiver.server.close());
const tracing = () => ({ OTEL_EXPORTER_OTLP_ENDPOINT: receiver.endpoint, OTEL_BSP_SCHEDULE_DELAY: "50" });
const traceId = "0af7651916cd43dd8448eb211c80319c";

describe("traces of the collector", () => {
  it("follow a request into the database, join the caller's trace and hold no filter", async () => {
    const collector = await startBuiltCollector(["--plain"], tracing());
    try {
      const answer = await fetch(`http://127.0.0.1:${collector.port}/api/v1/machines?q=name:anns-laptop`, {
        headers: { authorization: `Bearer ${collector.token}`, traceparent: `00-${traceId}-b7ad6b7169203331-01` },
      });
      expect(answer.status).toBe(200);
      const ofRequest = () => receiver.spans.filter((span) => span.traceId === traceId);
      await expect.poll(() => ofRequest().some(({ name }) => name === "GET /api/v1/machines")).toBe(true);
      const request = ofRequest().find(({ name }) => name === "GET /api/v1/machines")!;
      expect(request).toMatchObject({ parentSpanId: "b7ad6b7169203331", service: "lynceus-collector" });
      expect(attributeOf(request, "http.response.status_code")).toBe(200);
      const queries = ofRequest().filter(({ name }) => name === "SELECT");
      expect(queries.length).toBeGreaterThan(0);
      for (const query of queries) expect(query.parentSpanId).toBe(request.spanId);
      expect(queries.some((query) => String(attributeOf(query, "db.query.text")).includes("machines"))).toBe(true);
    } finally {
      await collector.stop();
    }
    expect(receiver.texts.join("")).not.toContain("anns-laptop");
    expect(receiver.texts.join("")).not.toContain(collectorSecret(collector.token));
  });

  it("are of work of its own as well", async () => {
    const before = receiver.spans.length;
    const collector = await startBuiltCollector(["--plain"], tracing());
    // The jobs' clock and the turns run by themselves; stopping sends what waits.
    await expect
      .poll(() => receiver.spans.slice(before).some(({ name }) => name === "reading the fleet"), { timeout: 60_000 })
      .toBe(true);
    await collector.stop();
  });

  it("are off by default: what exports them is not even read", async () => {
    const copy = mkdtempSync(path.join(tmpdir(), "lynceus-bundle-"));
    const dist = path.join(root, "apps/collector/dist");
    cpSync(dist, copy, { recursive: true, filter: (file) => !path.basename(file).startsWith("tracing-sdk") });
    expect(readFileSync(path.join(copy, "main.js"), "utf8")).not.toContain("BatchSpanProcessor");
    const database = await createTestDatabase();
    const start = (env: Record<string, string>) =>
      startProgram(
        process.execPath,
        [path.join(copy, "main.js"), "--plain", "--port", "0", "--data-dir", path.join(copy, "data")],
        { env: { DATABASE_URL: database.url, ...env } },
      );
    try {
      const quiet = start({});
      await quiet.line(/"listening"/);
      await quiet.stop();
      const loud = start(tracing());
      await expect(loud.line(/"listening"/)).rejects.toThrow(/tracing-sdk/);
      await loud.stop();
    } finally {
      await database.drop();
      rmSync(copy, { recursive: true, force: true });
    }
  });

  it("are refused in a protocol that is not spoken", async () => {
    const program = startProgram(process.execPath, [path.join(root, "apps/collector/dist/main.js"), "--plain"], {
      env: { DATABASE_URL: "postgresql://x@localhost/x", ...tracing(), OTEL_EXPORTER_OTLP_PROTOCOL: "grpc" },
    });
    await expect(program.line(/"listening"/)).rejects.toThrow(
      'OTEL_EXPORTER_OTLP_PROTOCOL "grpc" is not spoken here; use http/json, on port 4318',
    );
  });
});

const collectorSecret = (token: string) => token.replace(/^lyn_/, "");

describe("traces of the dashboard", () => {
  it("follow a page into the database and hold no query of an address", async () => {
    const database = await createTestDatabase();
    const port = await closedPort();
    const dashboard = startProgram(
      process.execPath,
      [path.join(root, "apps/dashboard/.next/standalone/apps/dashboard/server.js")],
      {
        env: {
          ...tracing(),
          DATABASE_URL: database.url,
          BETTER_AUTH_SECRET: "a secret for tests that is long enough",
          LYNCEUS_SECRET_KEY: Buffer.alloc(32, 7).toString("base64"),
          PORT: String(port),
          HOSTNAME: "127.0.0.1",
          NODE_ENV: "production",
        },
      },
    );
    try {
      await dashboard.line(/Ready in/);
      const answer = await fetch(`http://127.0.0.1:${port}/api/health?who=anns-laptop`);
      expect(answer.status).toBe(200);
      const page = await fetch(`http://127.0.0.1:${port}/login?next=/machines%3Fq%3Danns-laptop`);
      expect(page.status).toBe(200);
      const own = () => receiver.spans.filter(({ service }) => service === "lynceus-dashboard");
      await expect.poll(() => own().some(({ name }) => name === "GET /login")).toBe(true);
      await expect.poll(() => own().some(({ name }) => name === "SELECT")).toBe(true);
    } finally {
      await dashboard.stop();
      await database.drop();
    }
    expect(receiver.texts.join("")).not.toContain("anns-laptop");
  });
});
