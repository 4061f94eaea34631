/*
 * The registry as the agent's readers see it: keys by name, values as bytes. What stands in a value was written by
 * others, so decoding is done here, apart from the system's calls, and never throws.
 */

/** Types of values (winnt.h). */
export const valueTypes = {
  none: 0,
  text: 1,
  expandableText: 2,
  binary: 3,
  dword: 4,
  multiText: 7,
  qword: 11,
} as const;

export interface RegistryValue {
  readonly type: number;
  readonly data: Uint8Array;
  /** Bytes that the value holds; more than `data` where it is longer than what is read of any value. */
  readonly size: number;
}

/** `absent`, `vanished` (the key was deleted or its hive unloaded while it was read), `access denied`, or the system's code. */
export type WhyNot = "absent" | "vanished" | "access denied" | (string & {});

export type Reading<T> = { readonly ok: true; readonly value: T } | { readonly ok: false; readonly why: WhyNot };

/**
 * Keys are written `HKLM\…`, `HKU\…` or `HKCU\…`. Nothing rejects: a key that is not there, or may not be read, is a
 * reading.
 */
export interface Registry {
  subkeys(key: string): Reading<readonly string[]>;
  /** All values of a key, by name; the default value's is empty. */
  values(key: string): Reading<ReadonlyMap<string, RegistryValue>>;
}

/** The same registry, but each key of the machine is read once: 200 users have the machine's policies in common. */
export function withMachineKeysOnce(registry: Registry): Registry {
  const known = new Map<string, ReturnType<Registry["values"]>>();
  return {
    subkeys: (key) => registry.subkeys(key),
    values(key) {
      if (!key.startsWith("HKLM\\")) return registry.values(key);
      const reading = known.get(key) ?? registry.values(key);
      known.set(key, reading);
      return reading;
    },
  };
}

/** Bytes of one value that are read. A settings blob has some hundred. */
export const maxValueBytes = 256 * 1024;

const typeNames: Readonly<Record<number, string>> = {
  0: "REG_NONE",
  1: "REG_SZ",
  2: "REG_EXPAND_SZ",
  3: "REG_BINARY",
  4: "REG_DWORD",
  5: "REG_DWORD_BIG_ENDIAN",
  6: "REG_LINK",
  7: "REG_MULTI_SZ",
  11: "REG_QWORD",
};
const typeName = (type: number) => typeNames[type] ?? `type ${type}`;

/** Text of a REG_SZ: UTF-16 to its first NUL, which may be missing; half a character at the end is dropped. */
export function decodeText(data: Uint8Array): string {
  const bytes = Buffer.from(data.buffer, data.byteOffset, data.byteLength & ~1);
  const text = bytes.toString("utf16le");
  const end = text.indexOf("\0");
  return end < 0 ? text : text.slice(0, end);
}

/** The values of one key with the type that is expected of each. A value of another type counts as absent, and is told. */
export interface KeyValues {
  dword(name: string): number | null;
  text(name: string): string | null;
  /** The bytes as far as they are read. */
  binary(name: string): Uint8Array | null;
  /** Names of all values, as written. */
  names(): readonly string[];
}

/**
 * Reads the values of a key by name and type. Names compare without case, as in the registry.
 * @param problems gets one line for each value that is not what it should be.
 */
export function keyValues(values: ReadonlyMap<string, RegistryValue>, problems: string[]): KeyValues {
  const byName = new Map([...values].map(([name, value]) => [name.toLowerCase(), value]));
  const find = (name: string, wanted: readonly number[], smallest = 0): RegistryValue | null => {
    const value = byName.get(name.toLowerCase());
    if (!value) return null;
    const shown = name.slice(0, 64);
    if (!wanted.includes(value.type)) {
      problems.push(`${shown} is ${typeName(value.type)}, not ${typeName(wanted[0] ?? 0)}`);
      return null;
    }
    if (value.size > value.data.length)
      problems.push(`${shown} holds ${value.size} bytes; at most ${maxValueBytes} are read`);
    if (value.data.length < smallest) {
      problems.push(`${shown} holds ${value.data.length} bytes; a ${typeName(value.type)} has ${smallest}`);
      return null;
    }
    return value;
  };
  return {
    dword(name) {
      const value = find(name, [valueTypes.dword], 4);
      return value === null ? null : new DataView(value.data.buffer, value.data.byteOffset).getUint32(0, true);
    },
    text(name) {
      const value = find(name, [valueTypes.text, valueTypes.expandableText]);
      return value === null ? null : decodeText(value.data);
    },
    binary: (name) => find(name, [valueTypes.binary])?.data ?? null,
    names: () => [...values.keys()],
  };
}

const noValues: KeyValues = { dword: () => null, text: () => null, binary: () => null, names: () => [] };

/** The values of a key that may not be there. Why it could not be read is a problem, unless it is just absent. */
export function readKey(
  registry: Registry,
  key: string,
  problems: string[],
): KeyValues & { readonly why: WhyNot | null } {
  const reading = registry.values(key);
  if (reading.ok) return { ...keyValues(reading.value, problems), why: null };
  if (reading.why !== "absent") problems.push(`${key.slice(key.lastIndexOf("\\") + 1)}: ${reading.why}`);
  return { ...noValues, why: reading.why };
}
