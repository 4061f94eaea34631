import * as z from "zod";
import { roles, tokenScopes } from "./access.ts";

/*
 * An access as it is stored, and as a form or an answer holds it (access.ts).
 */

export const roleSchema = z.enum(roles);
export const tokenScopeSchema = z.enum(tokenScopes);

const names = z.array(z.string().min(1).max(200)).max(200).readonly();

export const scopeSchema = z.object({ sites: names.nullable(), tags: names.nullable() });
export const accessSchema = scopeSchema.extend({ role: roleSchema });
