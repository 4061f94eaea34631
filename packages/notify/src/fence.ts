import { lookup } from "node:dns";
import { isIP, type LookupFunction } from "node:net";
import type { Reach } from "@lynceus/protocol/receivers";
import { addressKind } from "@lynceus/proxy-settings/special-address";

/*
 * Where the collector may connect on an admin's word. It stands inside the network and a receiver's address may be
 * anything, so what an address *is* decides, at the moment of connecting: a name is judged by what it resolves to, and
 * the connection goes to exactly the addresses that were judged (no second look-up that could answer otherwise).
 */

/** An address, or a name that leads to one, is outside the fence. */
export class FenceError extends Error {
  readonly code = "EFENCED";
}

const order = { public: 0, private: 1, loopback: 2 } as const;

/** The wider of two reaches: what the receiver may, and what the installation may. */
export const widerReach = (a: Reach, b: Reach): Reach => (order[a] >= order[b] ? a : b);

/** Whether an address literal may be connected to. */
export function isAllowed(address: string, reach: Reach): boolean {
  const kind = addressKind(address);
  return kind !== "special" && order[kind] <= order[reach];
}

function refusal(host: string, address: string): FenceError {
  const kind = addressKind(address);
  const where = host === address ? host : `${host} leads to ${address}, which`;
  return new FenceError(
    kind === "special"
      ? `${where} is an address that nothing is ever sent to (link-local, metadata, multicast or unspecified)`
      : `${where} is ${kind === "private" ? "in a private network" : "this machine itself"}; set connection.reach to "${kind}" if that is meant`,
  );
}

/** Names by which clouds offer their metadata. Behind a proxy no address of ours decides, so these are refused by name. */
const metadataNames = /^(?:metadata|metadata\.google\.internal|metadata\.goog|instance-data(?:\..*)?)$/i;
const loopbackName = /(?:^|\.)localhost$/i;

/**
 * Refuses what can be told without resolving: address literals, which a look-up would not be asked for, and the few names
 * that always mean this machine or metadata.
 * @throws FenceError
 */
export function requireAllowedHost(hostname: string, reach: Reach): void {
  const host = hostname.replace(/^\[|\]$/g, "").replace(/\.$/, "");
  if (metadataNames.test(host)) throw new FenceError(`${host} is a cloud's metadata service`);
  const literal = isIP(host) !== 0 ? host : loopbackName.test(host) ? "127.0.0.1" : null;
  if (literal !== null && !isAllowed(literal, reach)) throw refusal(host, literal);
}

/** How a name is resolved; the system's own way, except in tests. */
export type Resolve = (hostname: string) => Promise<readonly { readonly address: string; readonly family: number }[]>;

const systemResolve: Resolve = (hostname) =>
  new Promise((resolve, reject) =>
    lookup(hostname, { all: true }, (error, addresses) => (error ? reject(error) : resolve(addresses))),
  );

/**
 * A look-up for `net.connect` that gives the allowed addresses alone, and fails with `FenceError` when a name has no other.
 */
export function fencedLookup(reach: Reach, resolve: Resolve = systemResolve): LookupFunction {
  return (hostname, options, callback) => {
    const fail = (error: Error) => callback(error as NodeJS.ErrnoException, "", 0);
    resolve(hostname).then((addresses) => {
      const wanted = addresses.filter(({ family }) => !options.family || `${options.family}`.endsWith(`${family}`));
      const allowed = wanted.filter(({ address }) => isAllowed(address, reach));
      const [first] = allowed;
      if (first === undefined)
        return fail(wanted[0] ? refusal(hostname, wanted[0].address) : new Error(`${hostname} has no address`));
      if (options.all) return (callback as unknown as (e: null, all: typeof allowed) => void)(null, allowed);
      callback(null, first.address, first.family);
    }, fail);
  };
}
