import type { Koffi } from "../koffi.ts";
import { loadKoffi } from "../koffi.ts";

/*
 * The process that asks WinHTTP for the way to an address. The calls block for as long as a detection takes, and take on
 * a user's identity for their thread: both are better done in a process that ends afterwards. One JSON request on stdin,
 * one JSON answer on stdout. Its parent kills it when it is late.
 */

/** What the child is told. */
export interface WinHttpRequest {
  /** SID of the signed-in user in whose name to ask; null or not signed in: as who we are. */
  readonly user: string | null;
  readonly autoDetect: boolean;
  readonly pacUrl: string | null;
  readonly urls: readonly string[];
  /** Ask DHCP for the script's address too (option 252). */
  readonly dhcp: boolean;
}

/** One answer of WinHttpGetProxyForUrl: as a script's result, or the system's code. */
export type WinHttpAnswer =
  | { readonly ok: true; readonly list: string }
  | { readonly ok: false; readonly error: string };

export interface WinHttpReply {
  readonly answers: readonly WinHttpAnswer[];
  readonly dhcpUrl: string | null;
}

const namedProxy = 3;
const noProxy = 1;

/**
 * WINHTTP_PROXY_INFO as a script's result. WinHTTP has dropped the words: its list is `host:port` separated by `;` or
 * space, of http proxies.
 */
export function proxyInfoList(accessType: number, proxy: string | null): string | null {
  if (accessType === noProxy) return "DIRECT";
  if (accessType !== namedProxy || !proxy) return null;
  const entries = proxy.split(/[;\s]+/).filter(Boolean);
  return entries.length === 0 ? null : entries.map((one) => `PROXY ${one}`).join("; ");
}

const detect = { dhcp: 1, dns: 2 } as const;
const options = { autoDetect: 1, configUrl: 2 } as const;

function winHttpCalls(koffi: Koffi) {
  const lib = koffi.load("winhttp.dll");
  const kernel32 = koffi.load("kernel32.dll");
  const autoproxy = koffi.struct({
    dwFlags: "uint32",
    dwAutoDetectFlags: "uint32",
    lpszAutoConfigUrl: "str16",
    lpvReserved: "uintptr",
    dwReserved: "uint32",
    fAutoLogonIfChallenged: "int32",
  });
  const info = koffi.struct({ dwAccessType: "uint32", lpszProxy: "str16", lpszProxyBypass: "str16" });
  return {
    open: lib.func("__stdcall", "WinHttpOpen", "uintptr", ["str16", "uint32", "str16", "str16", "uint32"]),
    proxyForUrl: lib.func("__stdcall", "WinHttpGetProxyForUrl", "int32", [
      "uintptr",
      "str16",
      koffi.pointer(autoproxy),
      koffi.out(koffi.pointer(info)),
    ]),
    detectUrl: lib.func("__stdcall", "WinHttpDetectAutoProxyConfigUrl", "int32", [
      "uint32",
      koffi.out(koffi.pointer("str16")),
    ]),
    lastError: kernel32.func("__stdcall", "GetLastError", "uint32", []),
  };
}

/** Speaks as the signed-in user with this SID from now on. False: nobody with it is signed in, or we may not. */
function becomeUser(koffi: Koffi, sid: string): boolean {
  const wts = koffi.load("wtsapi32.dll");
  const advapi = koffi.load("advapi32.dll");
  const kernel32 = koffi.load("kernel32.dll");
  const number = koffi.out(koffi.pointer("uint32"));
  const handle = koffi.out(koffi.pointer("intptr"));
  const session = koffi.struct({ SessionId: "uint32", pWinStationName: "uintptr", State: "int32" });
  const enumerate = wts.func("__stdcall", "WTSEnumerateSessionsW", "int32", [
    "intptr",
    "uint32",
    "uint32",
    koffi.out(koffi.pointer("void *")),
    number,
  ]);
  const queryToken = wts.func("__stdcall", "WTSQueryUserToken", "int32", ["uint32", handle]);
  const tokenInformation = advapi.func("__stdcall", "GetTokenInformation", "int32", [
    "intptr",
    "int32",
    "void *",
    "uint32",
    number,
  ]);
  const sidText = advapi.func("__stdcall", "ConvertSidToStringSidW", "int32", [
    "uintptr",
    koffi.out(koffi.pointer("str16")),
  ]);
  const impersonate = advapi.func("__stdcall", "ImpersonateLoggedOnUser", "int32", ["intptr"]);
  const close = kernel32.func("__stdcall", "CloseHandle", "int32", ["intptr"]);
  const list: unknown[] = [null];
  const count = [0];
  if (enumerate(0, 0, 1, list, count) === 0 || !list[0]) return false;
  const sessions: { SessionId: number }[] = koffi.decode(list[0], koffi.array(session, Math.min(count[0] ?? 0, 1024)));
  for (const { SessionId } of sessions) {
    const token: (bigint | number)[] = [0];
    if (queryToken(SessionId, token) === 0) continue;
    try {
      // TOKEN_USER begins with the pointer to its SID, which lies in the same buffer.
      const user = Buffer.alloc(256);
      const text: (string | null)[] = [null];
      if (tokenInformation(token[0], 1, user, user.length, [0]) === 0) continue;
      if (sidText(user.readBigUInt64LE(0), text) === 0 || text[0]?.toLowerCase() !== sid.toLowerCase()) continue;
      return impersonate(token[0]) !== 0;
    } finally {
      close(token[0]);
    }
  }
  return false;
}

/** Asks WinHTTP. It answers no challenge: without a login it gives up on a server that wants one. */
export function askWinHttp(koffi: Koffi, request: WinHttpRequest): WinHttpReply {
  if (request.user !== null) becomeUser(koffi, request.user);
  const calls = winHttpCalls(koffi);
  const found: (string | null)[] = [null];
  const dhcpUrl = request.dhcp && calls.detectUrl(detect.dhcp, found) !== 0 ? (found[0] ?? null) : null;
  const session = calls.open("Lynceus", noProxy, null, null, 0);
  const asked = {
    dwFlags: (request.autoDetect ? options.autoDetect : 0) | (request.pacUrl === null ? 0 : options.configUrl),
    dwAutoDetectFlags: request.autoDetect ? detect.dhcp | detect.dns : 0,
    lpszAutoConfigUrl: request.pacUrl,
    lpvReserved: 0,
    dwReserved: 0,
    fAutoLogonIfChallenged: 0,
  };
  const answers = request.urls.map((url): WinHttpAnswer => {
    const info: { dwAccessType?: number; lpszProxy?: string | null } = {};
    if (calls.proxyForUrl(session, url, asked, info) === 0) return { ok: false, error: `error ${calls.lastError()}` };
    const list = proxyInfoList(info.dwAccessType ?? 0, info.lpszProxy ?? null);
    return list === null ? { ok: false, error: `access type ${info.dwAccessType}` } : { ok: true, list };
  });
  return { answers, dhcpUrl };
}

/** Answers the one request of stdin and ends the process. */
export async function winHttpChild(): Promise<void> {
  const chunks: Buffer[] = [];
  for await (const chunk of process.stdin) chunks.push(chunk as Buffer);
  const request = JSON.parse(Buffer.concat(chunks).toString("utf8")) as WinHttpRequest;
  process.stdout.write(JSON.stringify(askWinHttp(loadKoffi(), request)), () => process.exit(0));
}
