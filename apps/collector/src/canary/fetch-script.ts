import { lookup } from "node:dns";
import { get as getHttp } from "node:http";
import { get as getHttps } from "node:https";
import { isIP, type LookupFunction } from "node:net";
import { maxScriptChars } from "@lynceus/protocol/read-api-tools";

const timeoutMs = 10_000;

export interface FetchScriptOptions {
  /** Addresses that are not connected to, whatever a name resolves to. */
  readonly refuses: (address: string) => boolean;
  readonly signal: AbortSignal;
}

/** A look-up that gives allowed addresses alone: the check and the connection are of the same answer. */
const allowedLookup =
  (refuses: (address: string) => boolean): LookupFunction =>
  (hostname, options, callback) =>
    lookup(hostname, { ...options, all: true }, (error, addresses) => {
      if (error) return callback(error, "", 0);
      const allowed = addresses.filter(({ address }) => !refuses(address));
      const [first] = allowed;
      if (!first) return callback(Object.assign(new Error("address refused"), { code: "EREFUSEDADDRESS" }), "", 0);
      if (options.all) return (callback as unknown as (e: null, all: typeof allowed) => void)(null, allowed);
      callback(null, first.address, first.family);
    });

/**
 * Fetches a proposed proxy script: http or https, one GET without credentials, no redirect, at most 256 KiB in ten
 * seconds. What it holds is judged in the sandbox and stored with the run; it is never given back to who asked.
 * @throws Error with one line that may be shown: what went wrong, never a part of the answer.
 */
export function fetchProposedScript(address: string, { refuses, signal }: FetchScriptOptions): Promise<string> {
  const url = new URL(address);
  const host = url.hostname.replace(/^\[|\]$/g, "");
  if (isIP(host) !== 0 && refuses(host))
    return Promise.reject(new Error(`the script's address ${host} is one that is never asked; name its web server`));
  const get = url.protocol === "https:" ? getHttps : getHttp;
  return new Promise((resolve, reject) => {
    const fail = (why: string) => reject(new Error(`the script could not be fetched from the collector: ${why}`));
    const request = get(
      url,
      {
        lookup: allowedLookup(refuses),
        signal: AbortSignal.any([signal, AbortSignal.timeout(timeoutMs)]),
        headers: { accept: "application/x-ns-proxy-autoconfig, */*" },
      },
      (response) => {
        if (response.statusCode !== 200) {
          response.destroy();
          return fail(`its server answers ${response.statusCode}`);
        }
        const chunks: Buffer[] = [];
        let bytes = 0;
        response.on("data", (chunk: Buffer) => {
          bytes += chunk.length;
          if (bytes <= maxScriptChars) return void chunks.push(chunk);
          response.destroy();
          fail(`it is larger than ${maxScriptChars / 1024} KiB`);
        });
        response.on("error", (error) => fail(error.message));
        response.on("end", () => {
          const body = Buffer.concat(chunks);
          const utf8 = /charset\s*=\s*"?utf-?8/i.test(response.headers["content-type"] ?? "");
          const text = body.toString(utf8 ? "utf8" : "latin1");
          if (/^\s*<(?:!doctype|html|head|body)\b/i.test(text)) return fail("its server answers with a web page");
          resolve(text);
        });
      },
    );
    request.on("error", (error: NodeJS.ErrnoException) =>
      fail(
        error.code === "EREFUSEDADDRESS"
          ? "its name leads to an address that is never asked"
          : error.name === "TimeoutError"
            ? `no answer within ${timeoutMs / 1000} seconds`
            : (error.code ?? error.message).slice(0, 128),
      ),
    );
  });
}
