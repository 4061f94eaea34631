import type { KeyProtection } from "../../identity.ts";
import type { Koffi } from "../koffi.ts";

/** Values of dpapi.h: no window ever; by the machine's key, so that the service reads it whoever is signed in. */
const uiForbidden = 0x1;
const localMachine = 0x4;

/** The machine's own encryption of secrets (DPAPI): a copied disk image of the file alone tells nothing. */
export function machineProtection(koffi: Koffi): KeyProtection {
  const crypt32 = koffi.load("crypt32.dll");
  const kernel32 = koffi.load("kernel32.dll");
  const blobType = koffi.struct({ size: "uint32", data: "void *" });
  const inBlob = koffi.pointer(blobType);
  const outBlob = koffi.out(koffi.pointer(blobType));
  const rest = ["void *", "void *", "void *", "uint32", outBlob];
  const protect = crypt32.func("__stdcall", "CryptProtectData", "int32", [inBlob, "str16", ...rest]);
  const unprotect = crypt32.func("__stdcall", "CryptUnprotectData", "int32", [inBlob, "void *", ...rest]);
  const free = kernel32.func("__stdcall", "LocalFree", "void *", ["void *"]);
  const lastError = kernel32.func("__stdcall", "GetLastError", "uint32", []);

  function convert(call: (...args: unknown[]) => number, bytes: Uint8Array, description: string | null): Buffer {
    const out: { size?: number; data?: unknown } = {};
    const ok = call(
      { size: bytes.length, data: bytes },
      description,
      null,
      null,
      null,
      uiForbidden | localMachine,
      out,
    );
    if (ok === 0) throw new Error(`Windows could not convert the protected key (error ${lastError()})`);
    const result = Buffer.from(koffi.decode(out.data, "uint8", out.size ?? 0) as Uint8Array);
    free(out.data);
    return result;
  }
  return {
    protect: (secret) => convert(protect, secret, "Lynceus machine key"),
    unprotect: (bytes) => convert(unprotect, bytes, null),
  };
}
