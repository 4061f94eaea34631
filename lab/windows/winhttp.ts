import { writeFileSync } from "node:fs";
import { winHttpChild } from "@lynceus/agent/platform/windows/winhttp-child";
import { askWinHttp } from "@lynceus/agent/proxy/winhttp-routes";

/*
 * Runs under node.exe in the Windows tests: `main.mjs OUTPUT PAC-URL URL…`. Writes what WinHTTP says of each address,
 * asked in a child process as the agent does.
 */

const [, , output = "out.json", pacUrl = "", ...urls] = process.argv;
if (output === "winhttp-child") await winHttpChild();
else {
  const request = { user: null, autoDetect: pacUrl === "", pacUrl: pacUrl || null, urls, dhcp: pacUrl === "" };
  writeFileSync(output, JSON.stringify(await askWinHttp(request, new AbortController().signal)));
}
