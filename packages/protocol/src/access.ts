/*
 * Who may see and do what: one role and one part of the fleet for each person and each API token. Pure: packages/db makes
 * an SQL condition of the same rule (scope.ts), and the server asks here before it does anything. Their schemas are in
 * access-schema.ts: browsers need the rule and no schema.
 */

/** From least to most; each holds the rights of the one before. */
export const roles = ["viewer", "operator", "admin"] as const;
export type Role = (typeof roles)[number];

/**
 * A part of the fleet: machines at one of the sites, or with one of the tags. Both null: the whole fleet. Where one is
 * given, null for the other adds nothing; two empty lists are no machine at all.
 */
export interface Scope {
  readonly sites: readonly string[] | null;
  readonly tags: readonly string[] | null;
}

export interface Access extends Scope {
  readonly role: Role;
}

export const everyMachine: Scope = { sites: null, tags: null };

export const isWholeFleet = (scope: Scope): boolean => scope.sites === null && scope.tags === null;

/** Whether a machine is in the part of the fleet. Names compare exactly. */
export function mayRead(scope: Scope, machine: { site: string | null; tags: readonly string[] }): boolean {
  if (isWholeFleet(scope)) return true;
  if (machine.site !== null && scope.sites?.includes(machine.site)) return true;
  return machine.tags.some((tag) => scope.tags?.includes(tag));
}

/** Whether everything in `inner` is also in `outer`, whatever machines there are. */
export function covers(outer: Scope, inner: Scope): boolean {
  if (isWholeFleet(outer)) return true;
  if (isWholeFleet(inner)) return false;
  const within = (part: readonly string[] | null, whole: readonly string[] | null) =>
    (part ?? []).every((name) => whole?.includes(name));
  return within(inner.sites, outer.sites) && within(inner.tags, outer.tags);
}

/** Whether two say the same, in whatever order. */
export const sameAccess = (a: Access, b: Access): boolean => a.role === b.role && covers(a, b) && covers(b, a);

/**
 * What a page, an act or a route may ask for, and the least that has it. `fleet`: only with the whole fleet, since it
 * concerns all of it, or cannot be cut to a part.
 */
export const rights = {
  /** See machines of the scope, and say what a user saw on one. */
  read: { role: "viewer", fleet: false },
  /** See what is of the installation and of no machine. */
  oversee: { role: "viewer", fleet: true },
  /** Ask machines of the scope to probe; acknowledge, silence, note. */
  operate: { role: "operator", fleet: false },
  /** Change sites and tags of machines: they are what scopes are made of. */
  place: { role: "operator", fleet: true },
  /** Let machines of the scope in, refuse and remove them. */
  administer: { role: "admin", fleet: false },
  /** Policies, sites, people, tokens, sign-on, audit: what holds for the whole installation. */
  configure: { role: "admin", fleet: true },
} as const satisfies Record<string, { role: Role; fleet: boolean }>;
export type Right = keyof typeof rights;

/**
 * What an API token may be made for. `read`, `operate` and `admin` hold the one before and have the rights of viewer,
 * operator and admin; `wall` opens the wallboard and nothing else.
 */
export const tokenScopes = ["read", "operate", "admin", "wall"] as const;
export type TokenScope = (typeof tokenScopes)[number];

/** The role of a token on the API; null where it has none there. Unknown scopes, as a later version may store, give nothing. */
export function roleOfToken(scopes: readonly string[]): Role | null {
  if (scopes.includes("admin")) return "admin";
  if (scopes.includes("operate")) return "operator";
  return scopes.includes("read") ? "viewer" : null;
}

const atLeast = (have: Role, need: Role): boolean => roles.indexOf(have) >= roles.indexOf(need);

export function allows(access: Access, right: Right): boolean {
  const { role, fleet } = rights[right];
  return atLeast(access.role, role) && (!fleet || isWholeFleet(access));
}

/** Why a right is missing, for whoever asked: "The role viewer does not suffice; operator is needed." */
export function refusal(access: Access, right: Right): string {
  const { role } = rights[right];
  return atLeast(access.role, role)
    ? "This concerns the whole fleet, and your account sees a part of it."
    : `The role ${access.role} does not suffice; ${role} is needed.`;
}

/** A part of the fleet in words: "the whole fleet", "site Bern, site Graz, tag vip", "no machine". */
export function scopeText(scope: Scope): string {
  if (isWholeFleet(scope)) return "the whole fleet";
  const parts = [
    ...(scope.sites ?? []).map((site) => `site ${site}`),
    ...(scope.tags ?? []).map((tag) => `tag ${tag}`),
  ];
  return parts.length === 0 ? "no machine" : parts.join(", ");
}
