import { copyFileSync, mkdtempSync, rmSync } from "node:fs";
import { createServer, type Server } from "node:http";
import type { AddressInfo } from "node:net";
import { tmpdir } from "node:os";
import path from "node:path";
import { packaging } from "@lynceus/agent/packaging/layout";
import type { PacFacts } from "@lynceus/protocol/facts";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { quietPort } from "../src/crash-processes.ts";
import { agentExecutable } from "../src/windows-agent.ts";
import { settingsKeys } from "../src/windows-registry.ts";
import { startWine, type Wine } from "../src/wine.ts";

/* `agent.cmd diagnose` of the signed-in user, with the real executable, its output sent to a file. */

const script = (port: number) => `
  function FindProxyForURL(url, host) {
    return shExpMatch(host, "*.contoso.test") ? "PROXY 127.0.0.1:${port}" : "DIRECT";
  }`;

let wine: Wine;
let directory: string;
let server: Server;
let scriptUrl: string;
/** What the script's server gives. */
let answer: string;
/** Of a proxy that nobody runs. */
let closedPort: number;

beforeAll(async () => {
  server = createServer((_request, response) => {
    response.setHeader("content-type", "application/x-ns-proxy-autoconfig").end(answer);
  });
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  scriptUrl = `http://127.0.0.1:${(server.address() as AddressInfo).port}/proxy.pac`;
  closedPort = await quietPort();
  directory = mkdtempSync(path.join(tmpdir(), "lynceus-diagnose-"));
  // As the MSI puts them: one beside the other.
  copyFileSync(await agentExecutable(), path.join(directory, "lynceus-agent.exe"));
  copyFileSync(path.join(packaging, "windows/agent.cmd"), path.join(directory, "agent.cmd"));
  wine = startWine();
}, 600_000);
afterAll(() => {
  wine?.stop();
  server?.close();
  if (directory) rmSync(directory, { recursive: true, force: true });
});

const diagnose = (...args: string[]) =>
  wine.run("cmd", ["/c", wine.windowsPath(path.join(directory, "agent.cmd")), "diagnose", ...args], {
    timeoutMs: 300_000,
  });

interface Report {
  readonly status: string;
  readonly sentence: string;
  readonly observations: readonly { readonly kind: string; readonly facts: object }[];
}
async function report(): Promise<Report & { readonly pac: PacFacts | undefined }> {
  const { code, output } = await diagnose("--ews", "mail.contoso.test", "--json");
  expect(code).toBe(1);
  const told = JSON.parse(output) as Report;
  return { ...told, pac: told.observations.find(({ kind }) => kind === "pac")?.facts as PacFacts | undefined };
}

describe("diagnose in a console", () => {
  it("shows what the signed-in user's script gives, by a child of its own and by WinHTTP alike", async () => {
    answer = script(closedPort);
    await wine.importRegistry(settingsKeys({ AutoConfigURL: scriptUrl }, 1));
    const { status, sentence, pac } = await report();
    expect(status).toBe("failing");
    expect(sentence).toContain(`the proxy 127.0.0.1:${closedPort} does not answer`);
    expect(pac).toMatchObject({ url: scriptUrl, fetch: "ok", bytes: answer.length, evalOk: true, evalError: null });
    expect(pac?.winhttp).toEqual({ list: `PROXY 127.0.0.1:${closedPort}`, agrees: true, error: null });
  });

  it("ends a script that never ends, and says so", async () => {
    answer = "function FindProxyForURL() { for (;;); }";
    await wine.importRegistry(settingsKeys({ AutoConfigURL: `${scriptUrl}?endless` }, 2));
    const { pac } = await report();
    expect(pac).toMatchObject({ fetch: "ok", evalOk: false, evalError: "the script ran too long" });
  });

  it("tells a person what it saw in words", async () => {
    await wine.importRegistry(settingsKeys({ ProxyEnable: 1, ProxyServer: `127.0.0.1:${closedPort}` }, 3));
    const { code, output } = await diagnose("--ews", "mail.contoso.test");
    expect(code).toBe(1);
    expect(output).toContain(`the proxy 127.0.0.1:${closedPort} does not answer`);
    expect(output).not.toContain("\u001b[");
  });
});
