/** Two roles: a viewer reads; an admin also changes what agents do and who may enrol. */
export const roles = ["viewer", "admin"] as const;
export type Role = (typeof roles)[number];

/** A role column that says anything else gives the least right. */
export function parseRole(value: unknown): Role {
  return value === "admin" ? "admin" : "viewer";
}

/** Whether `have` includes the rights of `need`. */
export function allows(have: Role, need: Role): boolean {
  return have === "admin" || need === "viewer";
}
