import { factEvidence, makeMatch, type Pattern, probeEvidence, quote } from "../pattern.ts";
import { explainsBadRoute } from "../proxy-script.ts";
import { badEws } from "../view.ts";

const fileAddress = /^(?:file:|[a-z]:[\\/]|\\\\)/i;

/** Domain 5.1. A fact of Windows: GNOME and macOS read a file script well. */
export const pattern: Pattern = {
  id: "pac-file-url",
  title: "The proxy script is a file address",
  layer: "proxy-configuration",
  scope: "client",
  mechanism:
    "WinHTTP takes scripts from http and https only. Parts of Lync and Outlook ignore a file script while the browser may still honour it.",
  evidence: "The script address in force begins with file:, a drive letter or a UNC path, under Windows' rules.",
  severities: ["prompting", "will-prompt"],
  confidences: ["high"],
  notThis: [
    "pac-unreachable: an http address that does not answer.",
    "A file script on Linux or macOS, where it works.",
  ],
  whoFixes: "Proxy team",
  remedy: [
    {
      who: "Proxy team",
      what: "publish the script on http or https, or by automatic detection (WPAD)",
      reference: "KB 2769142",
    },
    {
      who: "Helpdesk",
      what: "set the new address in LAN settings, then restart Internet Explorer and Lync",
      reference: "KB 2332495",
    },
  ],
  references: ["KB 2769142", "KB 2332495"],
  match(view) {
    const { settings } = view;
    if (settings?.dialect !== "windows" || settings.pacUrl === null) return null;
    if (!fileAddress.test(settings.pacUrl)) return null;
    const ews = badEws(view);
    const url = quote(settings.pacUrl);
    return makeMatch({
      severity: ews ? "prompting" : "will-prompt",
      confidence: "high",
      explains: explainsBadRoute(view),
      cause: `the proxy script ${url} is a file, which parts of Lync ignore`,
      sentence: ews
        ? `Credential prompts expected: the proxy script is a file (${url}), which parts of Lync ignore, and Exchange is not reached. Publish the script on http; no change on Exchange helps.`
        : `The proxy script is a file (${url}), which parts of Lync ignore: credential prompts are expected where they need it. Exchange answers now. Publish the script on http.`,
      evidence: [
        factEvidence("settings", `Script address: ${url}`, settings.pacUrl, null),
        probeEvidence(view.ews?.configured ?? null),
      ],
    });
  },
};
