import { spawn } from "node:child_process";
import { once } from "node:events";
import { dirname, join } from "node:path";
import { fileURLToPath } from "node:url";
import { describe, expect, it } from "vitest";
import { openDiskOutbox } from "../src/outbox/disk-outbox.ts";
import { testClock } from "./support/clock.ts";
import { temporaryDirectory } from "./support/temporary.ts";

const here = dirname(fileURLToPath(import.meta.url));

/** Lets a real process write until it has said `enough` numbers, and kills it there. @returns the last one it said. */
async function writeAndKill(directory: string, enough: number): Promise<number> {
  const child = spawn(process.execPath, ["--import", "tsx", join(here, "support/outbox-writer.ts"), directory], {
    stdio: ["ignore", "pipe", "inherit"],
  });
  let text = "";
  let lines = 0;
  child.stdout.setEncoding("utf8").on("data", (chunk: string) => {
    text += chunk;
    lines += chunk.split("\n").length - 1;
    if (lines >= enough) child.kill("SIGKILL");
  });
  const [, signal] = await once(child, "close");
  expect(signal).toBe("SIGKILL");
  return Number(text.slice(0, text.lastIndexOf("\n")).split("\n").at(-1));
}

describe("the outbox of a process that is killed", () => {
  it("holds every entry that was kept, in order, without a gap or a repeat, time after time", async () => {
    const directory = temporaryDirectory();
    let least = 0;
    for (const enough of [50, 700, 1]) {
      least = await writeAndKill(directory, enough);
      const outbox = openDiskOutbox({
        directory,
        clock: testClock(),
        newId: () => "never",
        maxBytes: 64 * 1024 * 1024,
      });
      expect(outbox.epoch()).toBe("00000000-0000-4000-8000-000000000001");
      expect(outbox.lastSeq()).toBeGreaterThanOrEqual(least);
      const seqs: number[] = [];
      for (let batch = outbox.read(0, { items: 500, bytes: 1e6 }); batch; ) {
        seqs.push(...[...batch.items, ...batch.confirmations].map((item) => item.seq).sort((a, b) => a - b));
        batch = outbox.read(batch.lastSeq, { items: 500, bytes: 1e6 });
      }
      expect(seqs).toEqual(Array.from({ length: outbox.lastSeq() }, (_, n) => n + 1));
      expect(outbox.stats()).toMatchObject({ items: seqs.length, droppedObservations: 0, droppedConfirmations: 0 });
      outbox.close();
    }
  }, 60_000);
});
