import { execFileSync, spawn } from "node:child_process";
import { once } from "node:events";
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import { fileURLToPath } from "node:url";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { openLog } from "../src/log.ts";
import { openDiskOutbox } from "../src/outbox/disk-outbox.ts";
import { testClock } from "./support/clock.ts";
import { observation } from "./support/items.ts";
import { temporaryDirectory } from "./support/temporary.ts";

const root = join(dirname(fileURLToPath(import.meta.url)), "..");
let dist: string;
beforeAll(() => {
  dist = mkdtempSync(join(tmpdir(), "lynceus-dist-"));
  execFileSync(process.execPath, [join(root, "build.mjs"), dist], { cwd: root });
}, 60_000);
afterAll(() => rmSync(dist, { recursive: true, force: true }));

/** Runs to its end. */
async function run(command: string, args: readonly string[]) {
  const child = spawn(command, [...args], { env: { PATH: process.env.PATH } });
  let stderr = "";
  child.stderr.setEncoding("utf8").on("data", (text: string) => {
    stderr += text;
  });
  const [code] = (await once(child, "close")) as [number | null];
  return { code, stderr };
}

describe("a full disk", () => {
  it.runIf(process.getuid?.() === 0)(
    "at the first start is said in one line",
    async () => {
      const mount = temporaryDirectory();
      execFileSync("mount", ["-t", "tmpfs", "-o", "size=4k", "tmpfs", mount]);
      try {
        writeFileSync(join(mount, "filler"), Buffer.alloc(4096));
        const args = [join(dist, "main.js"), "run", "--data-dir", join(mount, "data"), "--allowed-suffixes", "a.test"];
        const { code, stderr } = await run(process.execPath, args);
        expect(code).toBe(1);
        expect(stderr).toMatch(/^lynceus-agent: [^\n]*ENOSPC[^\n]*\n$/);
      } finally {
        execFileSync("umount", ["-l", mount]);
      }
    },
    30_000,
  );

  it.runIf(process.getuid?.() === 0)("in the middle of work loses only what came while it was full", () => {
    const mount = temporaryDirectory();
    execFileSync("mount", ["-t", "tmpfs", "-o", "size=256k", "tmpfs", mount]);
    try {
      const clock = testClock();
      const said: string[] = [];
      const outbox = openDiskOutbox({
        directory: join(mount, "outbox"),
        clock,
        newId: () => "11111111-1111-4111-8111-111111111111",
        onDamage: (what) => said.push(what),
      });
      const kept: number[] = [];
      for (let n = 0; n < 10; n++) kept.push(outbox.append(observation(`entry ${n}`)) ?? -1);
      const filler = join(mount, "filler");
      try {
        for (let size = 1; ; size++) writeFileSync(filler, Buffer.alloc(size * 4096));
      } catch {
        // Full now.
      }
      let refused = 0;
      for (let n = 10; n < 200; n++) if (outbox.append(observation(`entry ${n}`)) === null) refused++;
      expect(refused).toBeGreaterThan(0);
      expect(said.at(-1)).toMatch(/could not be kept: .*ENOSPC/);
      rmSync(filler);
      const after = outbox.append(observation(`entry ${300}`));
      expect(after).not.toBeNull();
      outbox.sync();
      outbox.close();
      const again = openDiskOutbox({
        directory: join(mount, "outbox"),
        clock,
        newId: () => "22222222-2222-4222-8222-222222222222",
      });
      const all = again.read(0, { items: 1000, bytes: 10_000_000 });
      const numbers = all?.items.map(({ seq }) => seq) ?? [];
      expect(numbers).toEqual(expect.arrayContaining([...kept, after]));
      expect(new Set(numbers).size).toBe(numbers.length);
      again.close();
    } finally {
      execFileSync("umount", ["-l", mount]);
    }
  });

  it.runIf(process.getuid?.() === 0)("loses lines of the log and nothing else", () => {
    const mount = temporaryDirectory();
    execFileSync("mount", ["-t", "tmpfs", "-o", "size=16k", "tmpfs", mount]);
    try {
      const path = join(mount, "agent.log");
      const log = openLog({ path, clock: testClock() });
      for (let n = 0; n < 500; n++) log("info", "x".repeat(100), { n });
      log.close();
      expect(readFileSync(path, "utf8").length).toBeGreaterThan(0);
    } finally {
      execFileSync("umount", ["-l", mount]);
    }
  });
});

describe("a wall clock that jumps by years", () => {
  it.each([-20, 20])("(%d) makes no entry too old to send and gives none a number twice", (years) => {
    const clock = testClock();
    const directory = join(temporaryDirectory(), "outbox");
    const options = { directory, clock, newId: () => "11111111-1111-4111-8111-111111111111" };
    const outbox = openDiskOutbox(options);
    const first = outbox.append(observation(`entry ${1}`));
    clock.setWallClock(clock.now() + years * 31_557_600_000);
    const second = outbox.append(observation(`entry ${2}`));
    outbox.sync();
    outbox.close();
    const again = openDiskOutbox(options);
    const batch = again.read(0, { items: 10, bytes: 1_000_000 });
    expect(batch?.items.map(({ seq }) => seq)).toEqual([first, second]);
    expect(batch?.items.every(({ ageMs }) => ageMs >= 0 && ageMs < 60_000)).toBe(true);
    again.close();
  });
});

describe("no rights", () => {
  it.runIf(process.getuid?.() === 0)(
    "to the data directory are said in one line",
    async () => {
      execFileSync("chmod", ["755", dist]);
      const nobody = ["--reuid=65534", "--regid=65534", "--clear-groups"];
      const command = [
        process.execPath,
        join(dist, "main.js"),
        "run",
        "--data-dir",
        join(temporaryDirectory(), "data"),
      ];
      const { code, stderr } = await run("setpriv", [...nobody, ...command]);
      expect(code).toBe(1);
      expect(stderr).toMatch(/^lynceus-agent: the data directory .* cannot be used: EACCES\n$/);
    },
    30_000,
  );
});
