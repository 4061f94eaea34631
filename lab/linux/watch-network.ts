// Watches the network as the agent does and prints a line at each change, until a line on stdin says how to end.
import { createInterface } from "node:readline";
import { loadKoffi } from "@lynceus/agent/platform/koffi";
import { watchNetwork } from "@lynceus/agent/platform/linux/watch-network";

const print = (line: string) => process.stdout.write(`${line}\n`);
const end = watchNetwork(
  loadKoffi(),
  () => print("changed"),
  (why) => print(`problem ${why}`),
);
const lines = createInterface({ input: process.stdin });
lines.on("line", (how) => {
  lines.close();
  process.stdin.destroy();
  if (how === "exit") process.exit(3);
  if (how === "throw") throw new Error("asked to fail");
  end();
});
print("ready");
