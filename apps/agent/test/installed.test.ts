import { existsSync, mkdirSync, readdirSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { describe, expect, it } from "vitest";
import { cleanup, holdData, holdLifetimeMs, releaseData } from "../src/cleanup.ts";
import { ensureKey, loadKey } from "../src/identity.ts";
import { forgettable } from "../src/platform/linux/release-memory.ts";
import { temporaryDirectory } from "./support/temporary.ts";

const smaps = (head: string, anonymous: number, swap = 0) =>
  [head, "Size: 100 kB", `Rss: 100 kB`, `Anonymous:   ${anonymous} kB`, `Swap:   ${swap} kB`, "VmFlags: rd mr"].join(
    "\n",
  );

describe("memory that is forgotten at rest", () => {
  const program = "/usr/lib/lynceus-agent/lynceus-agent";
  it("is what only mirrors a file, and never a page that exists nowhere else", () => {
    const text = [
      smaps(`00e37000-032e7000 r-xp 00a37000 fe:00 2629640                            ${program}`, 0),
      smaps(`06b11000-06b15000 r--p 065f7000 fe:00 2629640                            ${program}`, 8),
      smaps(`06b15000-06b3e000 rw-p 065fb000 fe:00 2629640                            ${program}`, 0),
      smaps(`07000000-07001000 r--p 065fb000 fe:00 2629640                            ${program}`, 0, 4),
      smaps(`08000000-08001000 r--s 065fb000 fe:00 2629640                            ${program}`, 0),
      smaps("7f9cc5e48000-7f9cc5eae000 r--p 00000000 fe:00 2629660                    /usr/lib/libc.so.6", 0),
      smaps("457e1000-460c7000 rw-p 00000000 00:00 0                          [heap]", 5000),
      smaps("7f0000000000-7f0000001000 r--p 00000000 00:00 0", 0),
      "",
    ].join("\n");
    expect(forgettable(text)).toEqual([
      { from: 0xe37000n, to: 0x32e7000n },
      { from: 0x7f9cc5e48000n, to: 0x7f9cc5eae000n },
    ]);
  });

  it("is nothing where the kernel does not say what is in a mapping", () => {
    expect(forgettable(`00e37000-032e7000 r-xp 00a37000 fe:00 1    ${program}\nRss: 4 kB\n`)).toEqual([]);
  });
});

describe("a key that the system protects", () => {
  const reversed = {
    protect: (bytes: Uint8Array) => Uint8Array.from(bytes).reverse(),
    unprotect: (bytes: Uint8Array) => Uint8Array.from(bytes).reverse(),
  };
  it("is no PEM on the disk and the same key each time", () => {
    const directory = temporaryDirectory();
    const { publicKey } = ensureKey(directory, reversed);
    expect(ensureKey(directory, reversed).publicKey).toBe(publicKey);
    expect(() => loadKey(directory)).toThrow(/was protected by another machine or user/);
    const elsewhere = {
      ...reversed,
      unprotect: () => {
        throw new Error("error 13");
      },
    };
    expect(() => loadKey(directory, elsewhere)).toThrow(/error 13.*enrol this machine again/);
  });
});

describe("what an uninstaller removes", () => {
  const filled = () => {
    const directory = join(temporaryDirectory(), "Lynceus");
    mkdirSync(join(directory, "outbox"), { recursive: true });
    for (const name of [
      "machine.key",
      "machine.json",
      "config.json",
      "salt",
      "agent.log",
      "agent.log.1",
      "status.json",
    ])
      writeFileSync(join(directory, name), "");
    writeFileSync(join(directory, "outbox", "00000001.seg"), "");
    return directory;
  };

  it("is everything of the agent, and the directory", () => {
    const directory = filled();
    cleanup(directory, false, Date.now());
    expect(existsSync(directory)).toBe(false);
    expect(() => cleanup(directory, false, Date.now())).not.toThrow();
  });

  it("is not the identity when that is to stay, and never a file of somebody else", () => {
    const directory = filled();
    cleanup(directory, true, Date.now());
    expect(readdirSync(directory).sort()).toEqual(["config.json", "machine.json", "machine.key", "salt"]);
    writeFileSync(join(directory, "notes.txt"), "");
    cleanup(directory, false, Date.now());
    expect(readdirSync(directory)).toEqual(["notes.txt"]);
  });

  it("waits while an upgrade goes on, but not for one that never ended", () => {
    const directory = filled();
    const all = readdirSync(directory).sort();
    holdData(directory);
    cleanup(directory, false, Date.now());
    releaseData(directory);
    expect(readdirSync(directory).sort()).toEqual(all);
    holdData(directory);
    cleanup(directory, false, Date.now() + holdLifetimeMs + 1000);
    expect(existsSync(directory)).toBe(false);
    holdData(directory);
    releaseData(directory);
    expect(existsSync(directory)).toBe(false);
  });
});
