import type { Reading, Registry, RegistryValue } from "../../src/platform/windows/registry.ts";

/** Values by name: text, number or bytes for REG_SZ, REG_DWORD and REG_BINARY; or of any type. */
export type Values = Readonly<Record<string, string | number | Uint8Array | RegistryValue>>;

const isValue = (value: Uint8Array | RegistryValue): value is RegistryValue => "type" in value;

export function registryValue(value: Values[string]): RegistryValue {
  if (typeof value === "object" && isValue(value)) return value;
  const data =
    typeof value === "string"
      ? Buffer.from(`${value}\0`, "utf16le")
      : typeof value === "number"
        ? Buffer.from(Uint32Array.of(value).buffer)
        : value;
  return { type: typeof value === "string" ? 1 : typeof value === "number" ? 4 : 3, data, size: data.length };
}

/**
 * A registry of these keys, whose names compare without case.
 * @param failing why a key, or what is below it, cannot be read.
 */
export function memoryRegistry(
  keys: Readonly<Record<string, Values>>,
  failing: (key: string) => string | null = () => null,
): Registry {
  const known = new Map(Object.entries(keys).map(([key, values]) => [key.toLowerCase(), values]));
  /** Names of the keys right below each key, in the order in which they were written. */
  const below = new Map<string, Set<string>>();
  for (const key of Object.keys(keys)) {
    const parts = key.split("\\");
    for (let depth = 0; depth < parts.length; depth++) {
      const above = parts.slice(0, depth).join("\\").toLowerCase();
      below.set(above, (below.get(above) ?? new Set()).add(parts[depth] ?? ""));
    }
  }
  const isThere = (key: string) => known.has(key) || below.has(key);
  function open<T>(key: string, read: (lower: string) => T): Reading<T> {
    const why = failing(key);
    if (why !== null) return { ok: false, why };
    const lower = key.toLowerCase();
    return isThere(lower) ? { ok: true, value: read(lower) } : { ok: false, why: "absent" };
  }
  return {
    subkeys: (key) => open(key, (lower) => [...(below.get(lower) ?? [])]),
    values: (key) =>
      open(
        key,
        (lower) => new Map(Object.entries(known.get(lower) ?? {}).map(([name, value]) => [name, registryValue(value)])),
      ),
  };
}
