import type { Koffi } from "../koffi.ts";
import { decodeText, maxValueBytes, type Reading, type Registry, type RegistryValue, type WhyNot } from "./registry.ts";

/** Codes of winerror.h that are results here. */
export const codes = { ok: 0, notFound: 2, denied: 5, moreData: 234, noMore: 259, keyDeleted: 1018 } as const;

/** Predefined keys are small negative numbers as wide as a pointer. */
const roots: Readonly<Record<string, number>> = { HKCU: -0x7fffffff, HKLM: -0x7ffffffe, HKU: -0x7ffffffd };

const keyRead = 0x20019;
/** Names have at most 255 characters, those of values 16,383. */
const nameChars = 16_384;
/** Read at first; a longer value is asked for again. */
const usualBytes = 4096;
/** A key with more is damaged or hostile: what matters to us has a few dozen. */
const maxEntries = 4096;

export const whyNot = (code: number): WhyNot => {
  if (code === codes.notFound) return "absent";
  if (code === codes.keyDeleted) return "vanished";
  if (code === codes.denied) return "access denied";
  return `error ${code}`;
};

/** `HKU\S-1-5-21-…\Software` as the root's handle and the path below it. Null for a root that there is none of. */
export function splitKey(key: string): { readonly root: number; readonly path: string } | null {
  const cut = key.indexOf("\\");
  const root = roots[cut < 0 ? key : key.slice(0, cut)];
  return root === undefined ? null : { root, path: cut < 0 ? "" : key.slice(cut + 1) };
}

/** The calls of advapi32 that open and close keys. */
export interface KeyCalls {
  /** A handle, or the system's code. */
  open(key: string, access: number): { readonly handle: bigint } | { readonly code: number };
  close(handle: bigint): void;
}

export function keyCalls(koffi: Koffi): KeyCalls {
  const lib = koffi.load("advapi32.dll");
  const open = lib.func("__stdcall", "RegOpenKeyExW", "int32", [
    "intptr",
    "str16",
    "uint32",
    "uint32",
    koffi.out(koffi.pointer("intptr")),
  ]);
  const close = lib.func("__stdcall", "RegCloseKey", "int32", ["intptr"]);
  return {
    open(key, access) {
      const where = splitKey(key);
      if (!where) return { code: codes.notFound };
      const out: (bigint | number)[] = [0];
      const code: number = open(where.root, where.path, 0, access, out);
      return code === codes.ok ? { handle: BigInt(out[0] ?? 0) } : { code };
    },
    close: (handle) => void close(handle),
  };
}

/**
 * The registry of this machine by its own calls (domain 4.4). Opens each key for as long as it reads it, so that no
 * user's hive is held when the user signs out.
 */
export function openRegistry(koffi: Koffi): Registry {
  const lib = koffi.load("advapi32.dll");
  const keys = keyCalls(koffi);
  const number = koffi.inout(koffi.pointer("uint32"));
  const enumKey = lib.func("__stdcall", "RegEnumKeyExW", "int32", [
    "intptr",
    "uint32",
    "void *",
    number,
    "void *",
    "void *",
    "void *",
    "void *",
  ]);
  const enumValue = lib.func("__stdcall", "RegEnumValueW", "int32", [
    "intptr",
    "uint32",
    "void *",
    number,
    "void *",
    number,
    "void *",
    number,
  ]);
  const name = Buffer.alloc(nameChars * 2);
  const usual = Buffer.alloc(usualBytes);

  function withKey<T>(key: string, read: (handle: bigint) => Reading<T>): Reading<T> {
    const opened = keys.open(key, keyRead);
    if ("code" in opened) return { ok: false, why: whyNot(opened.code) };
    try {
      return read(opened.handle);
    } finally {
      keys.close(opened.handle);
    }
  }

  /** One value by its place; the data buffer grows where the value is longer, up to the bound. */
  function valueAt(handle: bigint, index: number): { code: number; name: string; value: RegistryValue } {
    let data = usual;
    for (let attempt = 0; ; attempt++) {
      const chars = [nameChars];
      const type = [0];
      const bytes = [data.length];
      const code: number = enumValue(handle, index, name, chars, null, type, data, bytes);
      const size = bytes[0] ?? 0;
      const found = (length: number): RegistryValue => ({
        type: type[0] ?? 0,
        data: Uint8Array.from(data.subarray(0, Math.min(length, data.length))),
        size,
      });
      const text = () => name.toString("utf16le", 0, Math.min(chars[0] ?? 0, nameChars) * 2);
      if (code !== codes.moreData) return { code, name: text(), value: found(size) };
      // Somebody may write a longer one in between; a value beyond the bound is told and not read.
      if (attempt === 3 || size > maxValueBytes) return { code: codes.ok, name: text(), value: found(0) };
      data = Buffer.alloc(size);
    }
  }

  return {
    subkeys: (key) =>
      withKey(key, (handle) => {
        const names: string[] = [];
        for (let index = 0; index < maxEntries; index++) {
          const chars = [nameChars];
          const code: number = enumKey(handle, index, name, chars, null, null, null, null);
          if (code === codes.noMore) break;
          if (code !== codes.ok) return { ok: false, why: whyNot(code) };
          names.push(decodeText(name.subarray(0, Math.min(chars[0] ?? 0, nameChars) * 2)));
        }
        return { ok: true, value: names };
      }),
    values: (key) =>
      withKey(key, (handle) => {
        const values = new Map<string, RegistryValue>();
        for (let index = 0; index < maxEntries; index++) {
          const { code, name: found, value } = valueAt(handle, index);
          if (code === codes.noMore) break;
          if (code !== codes.ok) return { ok: false, why: whyNot(code) };
          values.set(found, value);
        }
        return { ok: true, value: values };
      }),
  };
}
