/** A path of ours to return to after signing in; anything else, such as `//evil.example`, becomes the overview. */
export function nextPath(value: unknown): string {
  if (typeof value !== "string" || value.length > 2048 || !/^\/(?![/\\])/.test(value)) return "/";
  // Browsers read a backslash as a slash and drop control characters, so neither may stand in it.
  if (value.includes("\\") || [...value].some((letter) => letter <= " " || letter === "\u007f")) return "/";
  const base = "http://lynceus.invalid";
  const parsed = new URL(value, base);
  return parsed.origin === base && !parsed.pathname.startsWith("/api/")
    ? parsed.pathname + parsed.search + parsed.hash
    : "/";
}
