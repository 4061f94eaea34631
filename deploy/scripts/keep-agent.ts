// `npm run -w deploy keep:agent`: keeps the agent as it is built now, and a session of it with the collector that is built
// now, in deploy/earlier-agents. `--agent FOLDER --name NAME` keeps one that was built elsewhere.
import { mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { execFileSync } from "node:child_process";
import { tmpdir } from "node:os";
import path from "node:path";
import { parseArgs } from "node:util";
import { gzipSync } from "node:zlib";
import { savePolicy } from "@lynceus/db/policies";
import { startTestServer } from "@lynceus/db/testing";
import { transform } from "esbuild";
import { builtAgent, lifeOf } from "../test/support/agent-life.ts";
import { startAgentRelay } from "../test/support/agent-relay.ts";
import { startBuiltCollector } from "../test/support/collector.ts";
import { keptAgents, unpackAgent } from "../test/support/kept-agents.ts";
import { startNetwork } from "../test/support/network.ts";

const { values } = parseArgs({ options: { agent: { type: "string" }, name: { type: "string" } } });
const built = values.agent ?? path.dirname(builtAgent);
const name = values.name ?? execFileSync("git", ["log", "-1", "--format=%cs-%h"], { encoding: "utf8" }).trim();
const folder = path.join(keptAgents, name);

mkdirSync(folder, { recursive: true });
for (const file of ["main.js", "pac-child.js"]) {
  const { code } = await transform(readFileSync(path.join(built, file), "utf8"), {
    format: "esm",
    minify: true,
    legalComments: "none",
    target: "node20.19",
  });
  writeFileSync(path.join(folder, `${file}.gz`), gzipSync(code, { level: 9 }));
}

// The session: enrolment, a first cycle, a check while Exchange is well and one while it is not, and the goodbye.
const server = await startTestServer();
process.env.LYNCEUS_TEST_DATABASE_URL = server.url;
const directory = mkdtempSync(path.join(tmpdir(), "lynceus-keep-"));
const network = await startNetwork();
const collector = await startBuiltCollector(["--plain"]);
const relay = await startAgentRelay(`ws://127.0.0.1:${collector.port}`);
try {
  const body = network.policy(1, ["contoso.example"]);
  await savePolicy(collector.db, { body, now: new Date(), createdBy: "keep-agent" });
  const life = lifeOf(collector, { hostname: "kept-pc" });
  const agent = await life.start(unpackAgent(name, directory), path.join(directory, "data"), network.environment, {
    url: relay.url,
    options: network.options,
  });
  await life.untilMachine("a verdict", ({ verdict }) => verdict !== null);
  await (await life.check()).done();
  network.become("stopped");
  await (await life.check()).done();
  await life.untilMachine("a failing machine", ({ status }) => status === "failing");
  await agent.stop();
  await life.untilMachine("the goodbye", ({ status }) => status === "signed-off");
  writeFileSync(path.join(folder, "session.jsonl"), relay.heard.map((one) => `${JSON.stringify(one)}\n`).join(""));
} finally {
  await relay.close();
  await collector.stop();
  await network.stop();
  await server.stop();
  rmSync(directory, { recursive: true, force: true });
}
process.stdout.write(`${folder}\n`);
