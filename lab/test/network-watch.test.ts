import { type ChildProcess, spawn } from "node:child_process";
import { once } from "node:events";
import path from "node:path";
import { createInterface } from "node:readline";
import { afterAll, afterEach, beforeAll, expect, it } from "vitest";
import { requireTools, root, run, tryRun } from "../src/shell.ts";

/* The kernel's own notifications of the network, in a namespace of the test's own. */

const namespace = "lynceus-watch";
let child: ChildProcess | null = null;

beforeAll(() => {
  requireTools("ip");
  tryRun("ip", "netns", "del", namespace);
  run("ip", "netns", "add", namespace);
  run("ip", "-n", namespace, "link", "add", "eth0", "type", "veth", "peer", "name", "eth1");
  for (const device of ["eth0", "eth1"]) run("ip", "-n", namespace, "link", "set", device, "up");
});
afterEach(() => child?.kill("SIGKILL"));
afterAll(() => tryRun("ip", "netns", "del", namespace));

/** The watching program, and the next line that it prints. */
async function watching() {
  const program = path.join(root, "lab/linux/watch-network.ts");
  const started = spawn("ip", ["netns", "exec", namespace, process.execPath, "--import", "tsx", program], {
    cwd: root,
    stdio: ["pipe", "pipe", "ignore"],
  });
  child = started;
  const lines = createInterface({ input: started.stdout })[Symbol.asyncIterator]();
  const next = async () => (await lines.next()).value as string | undefined;
  expect(await next()).toBe("ready");
  return { process: started, next, say: (line: string) => started.stdin.write(`${line}\n`) };
}

it.each([
  "addr add 10.9.9.9/24 dev eth0",
  "route add default via 10.9.9.1",
  "route del default",
  "addr del 10.9.9.9/24 dev eth0",
])("the kernel itself tells of: ip %s", async (command) => {
  const { next } = await watching();
  run("ip", "-n", namespace, ...command.split(" "));
  expect(await next()).toBe("changed");
});

it.each(["end", "exit", "throw"])("a process that watches is over at once when asked to: %s", async (how) => {
  const watched = await watching();
  watched.say(how);
  const [code] = await once(watched.process, "close");
  expect(code).toBe({ end: 0, exit: 3, throw: 1 }[how]);
});
