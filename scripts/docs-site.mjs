// Pages of the documentation site: Markdown in, HTML out, and what their links lead to. Reads nothing but whether a file is there.
import { existsSync } from "node:fs";
import path from "node:path";
import markdownIt from "markdown-it";

const markdown = markdownIt({ html: false, linkify: false });

/** As GitHub makes the anchor of a heading. */
export const anchorOf = (heading) =>
  heading
    .trim()
    .toLowerCase()
    .replace(/[^\p{L}\p{N}\s_-]/gu, "")
    .replace(/\s/g, "-");

const targetOf = (file) =>
  file === "README.md" ? "index.html" : file.replace(/(^|\/)README\.md$/, "$1index.html").replace(/\.md$/, ".html");

/** Pages by file: title, headings, links, and what markdown-it made of the text. */
export function readPages(texts) {
  return Object.entries(texts).map(([file, text]) => {
    const tokens = markdown.parse(text, {});
    const anchors = new Map();
    const links = [];
    const images = [];
    let title = file;
    tokens.forEach((token, index) => {
      if (token.type === "heading_open") {
        const heading = (tokens[index + 1].children ?? []).map(({ content }) => content).join("");
        if (token.tag === "h1" && title === file) title = heading;
        let anchor = anchorOf(heading);
        for (let count = 1; anchors.has(anchor); count++) anchor = `${anchorOf(heading)}-${count}`;
        anchors.set(anchor, heading);
        token.attrSet("id", anchor);
      }
      for (const child of token.children ?? []) {
        if (child.type === "link_open") links.push(child);
        if (child.type === "image") images.push(child);
      }
    });
    return { file, target: targetOf(file), title, anchors, links, images, tokens };
  });
}

/** Where a link of a file leads: a file of the repository and an anchor; null where it leaves it. */
function destination(file, href) {
  if (/^[a-z][a-z0-9+.-]*:/i.test(href)) return null;
  const [to, anchor = ""] = href.split("#");
  return {
    file: to === "" ? file : path.posix.normalize(path.posix.join(path.posix.dirname(file), decodeURIComponent(to))),
    anchor: decodeURIComponent(anchor),
  };
}

/** `docs/api.md: "x.md" is not there`; empty when each link leads somewhere, and each picture is there. */
export function checkLinks(pages, root) {
  const byFile = new Map(pages.map((page) => [page.file, page]));
  return pages.flatMap(({ file, links, images }) =>
    [...links, ...images].flatMap((link) => {
      const href = link.attrGet("href") ?? link.attrGet("src");
      const to = destination(file, href);
      if (!to) return [];
      const page = byFile.get(to.file);
      if (!page && !existsSync(path.join(root, to.file))) return [`${file}: "${href}" is not there`];
      return page && to.anchor !== "" && !page.anchors.has(to.anchor)
        ? [`${file}: "${href}" names a heading that ${to.file} has not`]
        : [];
    }),
  );
}

const groups = [
  ["Begin", (file) => /^(README|CONTRIBUTING)\.md$/.test(file)],
  ["Operations", (file) => file.startsWith("docs/operations/")],
  ["Reference", (file) => /^docs\/[^/]+$/.test(file)],
  ["Patterns", (file) => file.startsWith("docs/patterns/")],
];

const escapeHtml = (text) => markdown.utils.escapeHtml(text);

const style = `:root{color-scheme:light dark;--text:light-dark(#1c1e21,#e4e6e9);--quiet:light-dark(#5a6068,#9aa1aa);--line:light-dark(#e2e4e8,#33373d);--soft:light-dark(#f5f6f8,#1e2125);--link:light-dark(#1a56b0,#8ab4f8)}
*{box-sizing:border-box}body{margin:0;background:light-dark(#fff,#16181b);color:var(--text);font:16px/1.6 system-ui,sans-serif;display:grid;grid-template-columns:17rem minmax(0,1fr);min-height:100vh}
a{color:var(--link)}[hidden]{display:none!important}
nav{border-right:1px solid var(--line);padding:1.5rem 1.25rem;font-size:.9rem;position:sticky;top:0;height:100vh;overflow:auto}nav h2{font-size:.8rem;color:var(--quiet);margin:1.25rem 0 .25rem;font-weight:600}nav ul{list-style:none;margin:0;padding:0}nav a{display:block;padding:.15rem 0;color:inherit;text-decoration:none}nav a:hover,nav a[aria-current]{color:var(--link)}
nav input{width:100%;font:inherit;color:inherit;background:var(--soft);border:1px solid var(--line);border-radius:6px;padding:.4rem .6rem}.found{padding-top:.75rem}.found li{color:var(--quiet)}.found a{color:var(--text);padding:.3rem 0;line-height:1.4}
.to-pages{display:none}main{padding:2rem clamp(1rem,5vw,4rem) 5rem;max-width:62rem;overflow-wrap:anywhere}main h1{line-height:1.25;font-size:1.9rem}main h2{margin-top:2.2em;border-top:1px solid var(--line);padding-top:.8em;font-size:1.35rem}
pre,code{font-family:ui-monospace,monospace;font-size:.875em}code{background:var(--soft);padding:.1em .3em;border-radius:3px}pre{background:var(--soft);border:1px solid var(--line);border-radius:6px;padding:.9rem 1rem;overflow:auto;overflow-wrap:normal}pre code{padding:0;background:none}main h1 code,main h2 code,main h3 code{padding:0;background:none}
table{border-collapse:collapse;display:block;overflow:auto;font-size:.925rem;overflow-wrap:normal}th,td{border-bottom:1px solid var(--line);padding:.45rem .8rem .45rem 0;text-align:left;vertical-align:top}th{color:var(--quiet);font-weight:600}
@media(max-width:52rem){body{display:flex;flex-direction:column}.to-pages{display:block;padding:.75rem 1.25rem;border-bottom:1px solid var(--line)}main{order:1;padding-top:.5rem;width:100%}nav{order:2;position:static;height:auto;border-right:0;border-top:1px solid var(--line);font-size:1rem}nav a{padding:.6rem 0}td,th{min-width:8rem}}
img{max-width:100%;height:auto;border:1px solid var(--line);border-radius:6px}
@media print{nav,.to-pages{display:none}body{display:block}}`;

/** What search.js searches: each section of each page as address from the root, page, heading, text in lower case. */
export function searchSections(pages) {
  return pages.flatMap(({ target, title, tokens }) => {
    const sections = [];
    tokens.forEach((token, index) => {
      if (token.type === "heading_open") {
        const heading = (tokens[index + 1].children ?? []).map(({ content }) => content).join("");
        sections.push([`${target}#${token.attrGet("id")}`, title, heading, ""]);
      } else if (["inline", "fence", "code_block"].includes(token.type) && sections.length > 0) {
        sections[sections.length - 1][3] += ` ${token.content.toLowerCase()}`;
      }
    });
    return sections;
  });
}

/** One page, with all others in its margin. Links to pages lead to their HTML, others to the file's name. */
export function renderPage(page, pages) {
  const here = path.posix.dirname(page.target);
  const to = (target) => path.posix.relative(here, target);
  const byFile = new Map(pages.map((one) => [one.file, one]));
  for (const link of page.links) {
    const led = destination(page.file, link.attrGet("href"));
    const other = led && byFile.get(led.file);
    if (other) link.attrSet("href", `${to(other.target)}${led.anchor === "" ? "" : `#${led.anchor}`}`);
  }
  const menu = groups
    .map(([name, has]) => {
      const items = pages
        .filter(({ file }) => has(file))
        .map(
          (one) =>
            `<li><a href="${escapeHtml(to(one.target))}"${one === page ? ' aria-current="page"' : ""}>${escapeHtml(one.title)}</a></li>`,
        );
      return `<h2>${name}</h2><ul>${items.join("")}</ul>`;
    })
    .join("");
  const up = to("") === "" ? "" : `${to("")}/`;
  return `<!doctype html>
<html lang="en" data-root="${up}"><head><meta charset="utf-8"><meta name="viewport" content="width=device-width,initial-scale=1">
<title>${escapeHtml(page.title)} · Lynceus</title><style>${style}</style></head>
<body><a class="to-pages" href="#pages">All pages and search</a>
<nav aria-label="Pages" id="pages"><input type="search" placeholder="Search" aria-label="Search the documentation" hidden>
<ul class="found" aria-live="polite" hidden></ul><div class="menu">${menu}</div></nav>
<main>${markdown.renderer.render(page.tokens, markdown.options, {})}</main><script src="${up}search.js" defer></script></body></html>
`;
}
