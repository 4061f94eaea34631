/** Links to the machines table. Every number on a page opens exactly the machines it counts. */

/** One term of the filter language; the value is quoted when it has to be. */
export function term(field: string, ...values: string[]): string {
  return `${field}:${values.map(quoted).join(",")}`;
}

function quoted(value: string): string {
  if (value !== "" && !/[\s",*]/.test(value) && value !== "unknown" && value !== "none") return value;
  return `"${value.replaceAll("\\", "\\\\").replaceAll('"', '\\"')}"`;
}

/** Address of the table under these terms. */
export function machinesHref(...terms: (string | null)[]): string {
  const q = terms.filter((t) => t !== null && t !== "").join(" ");
  return q === "" ? "/machines" : `/machines?q=${encodeURIComponent(q)}`;
}

export function machineHref(id: string): string {
  return `/machines/${encodeURIComponent(id)}`;
}

/** The observation of a key that held at a moment, as the machine sent it. */
export function observedHref(id: string, key: string, at: number): string {
  return `${machineHref(id)}/observed?${new URLSearchParams({ key, at: new Date(at).toISOString() })}`;
}

/** The page of a site. */
export const siteHref = (site: string): string => `/sites/${encodeURIComponent(site)}`;

/** The site of such an address; what is no encoded text stands for itself. */
export function siteOf(slug: string): string {
  try {
    return decodeURIComponent(slug);
  } catch {
    return slug;
  }
}

/** The machines that count: all but those that said goodbye. */
export const reporting = term("status", "healthy", "failing", "stale", "cannot-tell");
/** Healthy machines that carry a finding. */
export const atRisk = `${term("status", "healthy")} ${term("severity", "prompting", "will-prompt", "at-risk")}`;
