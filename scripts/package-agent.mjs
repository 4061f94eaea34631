// `npm run package:agent [-- --only windows|linux|macos] [--out DIR]`: the agent's installers, into dist/agent.
import { spawn } from "node:child_process";
import { existsSync } from "node:fs";
import path from "node:path";
import { bin, fail, install, requireNode, root } from "./prepare.mjs";

requireNode();
const tools = ["wixl", "msibuild", "msiinfo", "osslsigncode", "strip", "dpkg-deb"];
const missing = tools.filter((tool) => !existsSync(path.join("/usr/bin", tool)));
if (missing.length > 0)
  fail(`packaging needs ${missing.join(", ")}; on Debian: wixl msitools osslsigncode binutils dpkg`);
await install();
const child = spawn(bin("tsx"), [path.join(root, "apps/agent/packaging/package.ts"), ...process.argv.slice(2)], {
  cwd: root,
  stdio: "inherit",
});
for (const signal of ["SIGINT", "SIGTERM"]) process.on(signal, () => child.kill(signal));
child.on("close", (code) => {
  process.exitCode = code ?? 1;
});
