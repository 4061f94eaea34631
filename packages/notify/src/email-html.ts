import { headlineOf, type Message } from "./message.ts";

/*
 * The HTML of a mail, for a phone at night first: one column, no image, no script, no remote font, dark where the reader's
 * device is dark. Colours are those of interface.md section 2; colour is never the only sign.
 */

const special: Readonly<Record<string, string>> = {
  "&": "&amp;",
  "<": "&lt;",
  ">": "&gt;",
  '"': "&quot;",
  "'": "&#39;",
};

/** Text that cannot end its element or attribute. */
export const escapeHtml = (text: string): string => text.replace(/[&<>"']/g, (character) => special[character] ?? "");

/** HTML that stands as it is. */
class Html {
  readonly text: string;
  constructor(text: string) {
    this.text = text;
  }
}
type Part = string | Html | readonly Html[];

const render = (part: Part): string =>
  part instanceof Html
    ? part.text
    : typeof part === "string"
      ? escapeHtml(part)
      : part.map(({ text }) => text).join("");

/** HTML whose every value is escaped, unless it is HTML of this function itself. */
const html = (strings: TemplateStringsArray, ...parts: readonly Part[]): Html =>
  new Html(strings.reduce((text, string, index) => text + render(parts[index - 1] ?? "") + string));

// Clients that drop <style> still get the inline light colours; those that keep it follow the device.
const style = html`<style>
:root { color-scheme: light dark; supported-color-schemes: light dark; }
@media (prefers-color-scheme: dark) {
  .canvas { background: #0c0e11 !important; }
  .ink { color: #e9ebee !important; }
  .ink2 { color: #b3b9c2 !important; }
  .ink3 { color: #8d949f !important; }
  .line { border-color: #3b424c !important; }
  .wake { color: #ff8b5e !important; }
  .accent { color: #9db2ff !important; }
  .filled { background: #e9ebee !important; color: #13161a !important; }
}
</style>`;

const sans = "-apple-system,BlinkMacSystemFont,'Segoe UI',Roboto,Helvetica,Arial,sans-serif";
const mono = "ui-monospace,SFMono-Regular,Menlo,Consolas,monospace";

const button = (url: string, text: string, filled: boolean) =>
  html`<a href="${url}" class="${filled ? "filled" : "accent"}" style="display:block;margin:0 0 10px;padding:15px 16px;border-radius:12px;text-align:center;text-decoration:none;font:600 16px/22px ${sans};${filled ? "background:#15171a;color:#ffffff" : "border:1px solid #85898a;color:#3050c8"}">${text}</a>`;

/** The whole document. Every text of the message is escaped; addresses are those that `toMessage` let through. */
export function toMailHtml(message: Message): string {
  const title = headlineOf(message);
  const lines = message.lines.map(
    ({
      label,
      text,
      mono: said,
    }) => html`<p style="margin:0 0 12px"><span class="ink3" style="display:block;color:#62676f;font-size:13px;line-height:18px">${label}</span><bdi class="ink" style="color:#15171a;overflow-wrap:anywhere${said ? `;font-family:${mono};font-size:14px` : ""}">${text}</bdi></p>
`,
  );
  const others = message.others.map(
    ({ text, url }) =>
      html`<p style="margin:0"><a href="${url}" class="accent" style="display:block;padding:11px 0;color:#3050c8;overflow-wrap:anywhere"><bdi>${text}</bdi></a></p>
`,
  );
  const acknowledge = message.acknowledge ? button(message.acknowledge.url, message.acknowledge.text, true) : "";
  const links = message.links.map(({ text, url }) => button(url, text, false));
  return html`<!doctype html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<meta name="color-scheme" content="light dark">
<meta name="format-detection" content="telephone=no, date=no, address=no, email=no">
<title>${title}</title>
${style}
</head>
<body class="canvas" style="margin:0;padding:0;background:#ffffff;-webkit-text-size-adjust:100%">
<div style="max-width:560px;margin:0 auto;padding:20px 16px 28px;font:400 16px/23px ${sans}">
<p class="ink3" style="margin:0 0 10px;color:#62676f;font-size:13px;line-height:18px">Lynceus · <bdi>${message.reason}</bdi></p>
<h1 class="${message.tone === "wake" ? "wake" : "ink"}" style="margin:0 0 10px;color:${message.tone === "wake" ? "#ae360a" : "#15171a"};font-size:22px;line-height:29px;font-weight:600;overflow-wrap:anywhere"><bdi>${title}</bdi></h1>
${message.sentence === "" ? "" : html`<p class="ink2" style="margin:0 0 18px;color:#474b52;overflow-wrap:anywhere"><bdi>${message.sentence}</bdi></p>`}
${acknowledge}${links}<div class="line" style="border-top:1px solid #e3e3dd;margin:8px 0 16px"></div>
${lines}${others}${message.omitted > 0 ? html`<p class="ink2" style="margin:0 0 12px;color:#474b52">and ${String(message.omitted)} more</p>` : ""}
</div>
</body>
</html>
`.text;
}
