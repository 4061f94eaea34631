import type { X509Certificate } from "node:crypto";

/*
 * Where a client asks whether a certificate was revoked: the addresses in its CRL distribution points and its authority
 * information access (RFC 5280 4.2.1.13 and 4.2.2.1). Node tells only the latter, so both are read from the bytes, which
 * are whatever a server sent: every length is checked, and depth, nodes and hosts are bounded.
 */

interface Node {
  readonly tag: number;
  readonly from: number;
  readonly to: number;
}

/** OIDs as DER has them: id-ce-cRLDistributionPoints and id-pe-authorityInfoAccess. */
const extensions: readonly Buffer[] = [Buffer.from("551d1f", "hex"), Buffer.from("2b06010505070101", "hex")];

const sequence = 0x30;
const objectIdentifier = 0x06;
const octetString = 0x04;
const explicitExtensions = 0xa3;
/** GeneralName `uniformResourceIdentifier`. */
const uri = 0x86;
const constructed = 0x20;

const maxNodes = 4096;
const maxDepth = 8;
const maxUriBytes = 2048;
const maxHosts = 16;

/** The element at `at`, or null where it does not fit into `end`. Indefinite lengths and long tags are no DER of ours. */
function readNode(bytes: Buffer, at: number, end: number): Node | null {
  if (at + 2 > end) return null;
  const tag = bytes[at] ?? 0;
  const first = bytes[at + 1] ?? 0;
  if ((tag & 0x1f) === 0x1f) return null;
  const lengthBytes = first < 0x80 ? 0 : first & 0x7f;
  if (first === 0x80 || lengthBytes > 3 || at + 2 + lengthBytes > end) return null;
  const length = lengthBytes === 0 ? first : bytes.readUIntBE(at + 2, lengthBytes);
  const from = at + 2 + lengthBytes;
  return from + length > end ? null : { tag, from, to: from + length };
}

/** Elements of a constructed one, as far as they can be read. */
function* childrenOf(bytes: Buffer, { from, to }: Pick<Node, "from" | "to">): Generator<Node> {
  let at = from;
  for (let count = 0; count < maxNodes; count++) {
    const node = readNode(bytes, at, to);
    if (!node) return;
    yield node;
    at = node.to;
  }
}

/** Every URI within an element, however deep its structure puts it. */
function* urisIn(bytes: Buffer, node: Node, depth = 0): Generator<string> {
  if (node.tag === uri) {
    if (node.to - node.from <= maxUriBytes) yield bytes.toString("latin1", node.from, node.to);
    return;
  }
  if ((node.tag & constructed) === 0 || depth >= maxDepth) return;
  for (const child of childrenOf(bytes, node)) yield* urisIn(bytes, child, depth + 1);
}

/** The addresses that one certificate names. */
function* urisOf(bytes: Buffer): Generator<string> {
  const certificate = readNode(bytes, 0, bytes.length);
  const [body] = certificate ? childrenOf(bytes, certificate) : [];
  if (body?.tag !== sequence) return;
  for (const part of childrenOf(bytes, body)) {
    if (part.tag !== explicitExtensions) continue;
    const [list] = childrenOf(bytes, part);
    if (!list) return;
    for (const extension of childrenOf(bytes, list)) {
      const fields = [...childrenOf(bytes, extension)];
      const [oid] = fields;
      const value = fields.at(-1);
      if (oid?.tag !== objectIdentifier || value?.tag !== octetString) continue;
      const name = bytes.subarray(oid.from, oid.to);
      if (!extensions.some((wanted) => wanted.equals(name))) continue;
      const content = readNode(bytes, value.from, value.to);
      if (content) yield* urisIn(bytes, content);
    }
  }
}

/** Host of a plain http address on port 80, in lower case; null for `ldap:` and everything else. */
function hostOf(text: string): string | null {
  if (!URL.canParse(text)) return null;
  const { protocol, hostname, port } = new URL(text);
  const host = hostname.replace(/^\[|\]$/g, "").replace(/\.$/, "");
  return protocol === "http:" && port === "" && /^[a-z0-9][a-z0-9.:_-]{0,116}$/.test(host) ? host : null;
}

/**
 * Hosts of the revocation and issuer addresses of a chain (domain 5.0 rule 2), each once, at most sixteen, in the order
 * of the chain. A root names nothing that matters: nobody asks whether it was revoked.
 * @param chain as the server sent it, its own certificate first.
 */
export function revocationHosts(chain: readonly Pick<X509Certificate, "raw" | "subject" | "issuer">[]): string[] {
  const hosts = new Set<string>();
  for (const [index, { raw, subject, issuer }] of chain.entries()) {
    if (index > 0 && subject === issuer) continue;
    for (const address of urisOf(raw)) {
      const host = hostOf(address);
      if (host !== null) hosts.add(host);
      if (hosts.size >= maxHosts) return [...hosts];
    }
  }
  return [...hosts];
}
