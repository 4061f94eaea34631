import type { DataLink } from "@grafana/data";
import { quoteValue } from "@lynceus/protocol/filter-completion";

/** An address that a link may lead to: http or https, without a slash at its end. Null for anything else. */
export function safeBase(url: string | null | undefined): string | null {
  if (!url) return null;
  try {
    const { protocol, origin, pathname } = new URL(url);
    return protocol === "https:" || protocol === "http:" ? `${origin}${pathname}`.replace(/\/+$/, "") : null;
  } catch {
    return null;
  }
}

const link = (title: string, url: string): DataLink => ({ title, url, targetBlank: true });

const machines = (base: string, q: string): string => `${base}/machines?q=${encodeURIComponent(q)}`;

/** Where a row's own page is, by a field of the row that holds its id. */
export const rowLinks = (base: string | null, title: string, path: string, idField: string): DataLink[] =>
  base === null ? [] : [link(title, `${base}/${path}/\${__data.fields["${idField}"]:percentencode}`)];

/** Where a series' machines are. */
export function seriesLinks(base: string | null, labels: Readonly<Record<string, string>>): DataLink[] {
  if (base === null) return [];
  const links: DataLink[] = [];
  if (labels.site)
    links.push(link("Failing machines of this site", machines(base, `status:failing site:${quoteValue(labels.site)}`)));
  if (labels.pattern) {
    links.push(link("Machines with this finding", machines(base, `primary:${labels.pattern}`)));
    links.push(link("About this pattern", `${base}/patterns/${encodeURIComponent(labels.pattern)}`));
  }
  if (labels.proxy && labels.proxy !== "other")
    links.push(link("Machines on this route", machines(base, `route:${quoteValue(labels.proxy)}`)));
  if (labels.status && !["reporting", "at-risk"].includes(labels.status))
    links.push(link("These machines", machines(base, `status:${labels.status}`)));
  if (links.length === 0) links.push(link("Open Lynceus", `${base}/`));
  return links;
}

/** Where a row's machines are, by a field of the row that holds their filter. */
export const filterLinks = (base: string | null, qField: string): DataLink[] =>
  base === null ? [] : [link("These machines", `${base}/machines?q=\${__data.fields["${qField}"]:percentencode}`)];
