import { mkdtemp, readFile, rm, stat, writeFile } from "node:fs/promises";
import { createServer } from "node:https";
import type { AddressInfo } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { connect } from "node:tls";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { loadTls, needsRenewal } from "../src/tls.ts";

const now = Date.now();
let dataDir: string;
beforeEach(async () => {
  dataDir = await mkdtemp(join(tmpdir(), "lynceus tls "));
});
afterEach(() => rm(dataDir, { recursive: true }));

const options = (extra: Partial<Parameters<typeof loadTls>[0]> = {}) => ({
  dataDir,
  certFile: null,
  keyFile: null,
  names: [],
  now,
  ...extra,
});

describe("self-made certificate", () => {
  it("verifies by its authority over a real connection, and the authority is what is pinned", async () => {
    const material = await loadTls(options({ names: ["collector.example.org"] }));
    const authority = material.cert.slice(material.cert.lastIndexOf("-----BEGIN CERTIFICATE"));
    const server = createServer({ cert: material.cert, key: material.key }).listen(0, "127.0.0.1");
    await new Promise((resolve) => server.once("listening", resolve));
    const socket = connect({
      port: (server.address() as AddressInfo).port,
      host: "127.0.0.1",
      servername: "collector.example.org",
      ca: authority,
    });
    await new Promise((resolve, reject) => socket.once("secureConnect", resolve).once("error", reject));
    expect(socket.authorized).toBe(true);
    expect(material.pin).toMatch(/^[0-9a-f]{64}$/);
    socket.destroy();
    server.close();
  });

  it("is kept over a restart, in files that only the owner reads", async () => {
    const first = await loadTls(options());
    const second = await loadTls(options());
    expect(second).toEqual(first);
    for (const file of ["authority.pem", "server.pem"])
      expect((await stat(join(dataDir, "tls", file))).mode & 0o777).toBe(0o600);
  });

  it("gives its authority's certificate, and no key, to whoever verifies by it", async () => {
    const material = await loadTls(options());
    const given = await readFile(join(dataDir, "ca.pem"), "utf8");
    expect(material.cert).toContain(given.trim());
    expect(given).not.toContain("PRIVATE KEY");
    expect((await stat(join(dataDir, "ca.pem"))).mode & 0o777).toBe(0o644);
  });

  it("renews the leaf by the same authority when it nears its end", async () => {
    const first = await loadTls(options());
    const later = now + 380 * 86_400_000;
    expect(needsRenewal(first, later)).toBe(true);
    const second = await loadTls(options({ now: later }));
    expect(second.pin).toBe(first.pin);
    expect(second.cert).not.toBe(first.cert);
    expect(needsRenewal(second, later)).toBe(false);
  });

  it("makes a new leaf when a name is missing from the old one", async () => {
    const first = await loadTls(options());
    const second = await loadTls(options({ names: ["lynceus.example.org"] }));
    expect(second.cert).not.toBe(first.cert);
    expect(second.pin).toBe(first.pin);
  });

  it("refuses a broken authority instead of replacing what agents pinned", async () => {
    await loadTls(options());
    await writeFile(join(dataDir, "tls", "authority.pem"), "scrap");
    await expect(loadTls(options())).rejects.toThrow(/is not a key and a certificate; restore it/);
  });

  it("makes one authority when two collectors start at once", async () => {
    const [a, b] = await Promise.all([loadTls(options()), loadTls(options())]);
    expect(a.pin).toBe(b.pin);
  });
});

describe("given certificate", () => {
  it("is used as it is and pins nothing", async () => {
    const own = await loadTls(options());
    const certFile = join(dataDir, "given.crt");
    const keyFile = join(dataDir, "given.key");
    await writeFile(certFile, own.cert);
    await writeFile(keyFile, own.key);
    const given = await loadTls(options({ certFile, keyFile }));
    expect(given.pin).toBeNull();
    expect(given.cert).toBe(await readFile(certFile, "utf8"));
  });

  it("is refused with one clear line when half of it is missing", async () => {
    await expect(loadTls(options({ certFile: "/nonexistent.crt" }))).rejects.toThrow(/go together/);
    await expect(loadTls(options({ certFile: "/nonexistent.crt", keyFile: "/nonexistent.key" }))).rejects.toThrow(
      '--tls-cert "/nonexistent.crt" cannot be read: ENOENT',
    );
  });
});
