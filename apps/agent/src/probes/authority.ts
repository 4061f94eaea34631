import { isIP } from "node:net";

/** `host:port` as requests write it: an IPv6 address in brackets. */
export const authorityOf = (host: string, port: number): string => `${isIP(host) === 6 ? `[${host}]` : host}:${port}`;
