/*
 * PostgreSQL holds no NUL in text or jsonb, and no lone surrogate in UTF-8: one of them refuses the whole batch.
 * They become U+FFFD, so that a reader sees that something was there.
 */

/** A string as PostgreSQL can hold it. */
export function toSqlText(text: string): string {
  // biome-ignore lint/suspicious/noControlCharactersInRegex: NUL is what is looked for
  return text.replace(/\u0000|[\ud800-\udbff](?![\udc00-\udfff])|(?<![\ud800-\udbff])[\udc00-\udfff]/g, "\ufffd");
}

/** A value as JSON text that jsonb takes, keys and strings alike. NaN and infinities become null, as JSON has it. */
export function toSqlJson(value: unknown): string {
  const json = JSON.stringify(value) ?? "null";
  // JSON.stringify writes NUL and lone surrogates, and nothing else that begins so, as these escapes.
  if (!json.includes("\\u0000") && !json.includes("\\ud")) return json;
  return json.replace(/\\(?:u(?:0000|d[89a-f][0-9a-f]{2})|.)/g, (found) => (found.length === 6 ? "\\ufffd" : found));
}
