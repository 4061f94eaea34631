import { writeFileSync } from "node:fs";
import { windowsCertificates } from "@lynceus/agent/platform/windows/certificates";
import { windowsMachine } from "@lynceus/agent/platform/windows/machine";
import { readSettings } from "@lynceus/agent/proxy/settings";

/*
 * Runs under node.exe in the Windows tests: `main.mjs OUTPUT`. Writes what the agent's own code reads of this Windows.
 */

const [, , output = "out.json"] = process.argv;
const windows = windowsMachine("all");
const { facts, zones } = await readSettings({
  platform: process.platform,
  environment: process.env,
  settingsFile: null,
  run: async () => "",
  uid: null,
  salt: "salt",
  windows,
});
writeFileSync(
  output,
  JSON.stringify({ facts, zones: [...zones], system: windows.systemFacts(), certificates: windowsCertificates() }),
);
