/**
 * Every bound of the wire in one place. A message that breaks one is refused whole with a typed error;
 * nothing is cut silently. Numbers are bytes unless the name says otherwise.
 */
export const limits = {
  /** One WebSocket message. `ws` closes the socket with 1009 above it, before anything is parsed. */
  messageBytes: 1024 * 1024,
  /** Nesting of any JSON value that is kept raw. */
  rawDepth: 16,
  /** Characters of a raw (unknown) payload, as JSON text. */
  rawChars: 64 * 1024,
  observationsPerMessage: 500,
  hostChars: 255,
  nameChars: 255,
  urlChars: 2048,
  textChars: 4096,
  /** A settings blob can hold a long bypass list. */
  listTextChars: 16 * 1024,
  headerChars: 2048,
  headers: 48,
  addresses: 32,
  schemes: 16,
  srvRecords: 32,
  users: 512,
  configurations: 512,
  targets: 256,
  groups: 64,
  ringLength: 10,
  latencyDays: 7,
  tags: 32,
  capabilities: 32,
  /** Routes of one canary, and how many different proxies they may lead through. */
  canaryRoutes: 64,
  canaryProxies: 4,
  /** Machines that one canary may ask to really probe the proposed routes. */
  canaryProbes: 50,
} as const;
