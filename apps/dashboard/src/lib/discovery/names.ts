import { Resolver } from "node:dns/promises";
import { parseHostName } from "../hosts.ts";
import type { Names } from "./step.ts";

const missing = new Set(["ENOTFOUND", "ENODATA", "NOTFOUND"]);

/** DNS by this machine's resolvers, or by those given (`10.0.0.53`, `127.0.0.1:5353`). At most eight answers a question. */
export function dnsNames(servers?: readonly string[]): Names {
  const resolver = new Resolver({ timeout: 2_000, tries: 2 });
  if (servers !== undefined) resolver.setServers(servers);
  const orNone = <T>(answer: Promise<T[]>): Promise<T[]> =>
    answer.catch((error: NodeJS.ErrnoException) => {
      if (missing.has(error.code ?? "")) return [];
      throw new Error(`DNS: ${error.code ?? "failed"}`);
    });
  return {
    addresses: async (host) => {
      const [v4, v6] = await Promise.allSettled([orNone(resolver.resolve4(host)), orNone(resolver.resolve6(host))]);
      // One family that fails does not hide the other; both failing is a failure.
      if (v4.status === "rejected" && v6.status === "rejected") throw v4.reason;
      const found = [v4, v6].flatMap((answer) => (answer.status === "fulfilled" ? answer.value : []));
      return found.slice(0, 8);
    },
    services: async (name) => {
      const records = await orNone(resolver.resolveSrv(name));
      return records
        .sort((a, b) => a.priority - b.priority || b.weight - a.weight)
        .flatMap((record) => {
          const host = parseHostName(record.name);
          return host === null || record.port === 0 ? [] : [{ host, port: record.port }];
        })
        .slice(0, 8);
    },
  };
}
