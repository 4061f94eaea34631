import { writeSync } from "node:fs";
import { openDiskOutbox } from "../../src/outbox/disk-outbox.ts";
import { confirmation, observation } from "./items.ts";

/*
 * Fills an outbox until it is killed. Prints the number of each entry once it is kept, unbuffered, so that its
 * parent knows what must be there afterwards.
 */
const outbox = openDiskOutbox({
  directory: process.argv[2] ?? "",
  clock: { now: Date.now, monotonic: () => performance.now(), uptime: () => 0, boot: "b", setTimer: () => () => {} },
  newId: () => "00000000-0000-4000-8000-000000000001",
  maxBytes: 64 * 1024 * 1024,
});
for (let n = 0; ; n++) {
  const seq = outbox.append(n % 3 === 0 ? confirmation("c") : observation("o", { text: "x".repeat(n % 2000) }));
  if (n % 7 === 0) outbox.sync();
  writeSync(1, `${seq}\n`);
}
