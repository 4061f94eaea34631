import { type Access, everyMachine, roles } from "@lynceus/protocol/access";
import { formText } from "./form-text.ts";

/** Between the names of a field that holds several: no name has it. */
export const namesDivider = "\n";

export interface AccessErrors {
  role?: string;
  scope?: string;
}

/** The names of a field, each once. */
function names(form: FormData, field: string): string[] {
  const all = formText(form, field, 50_000)
    .split(namesDivider)
    .map((name) => name.trim())
    .filter((name) => name !== "");
  return [...new Set(all)];
}

/** Role and scope as a form says them (`prefix` before each field's name); messages say the rule and an example. */
export function readAccess(form: FormData, prefix = ""): { access: Access | null; errors: AccessErrors } {
  const said = formText(form, `${prefix}role`);
  const role = roles.find((one) => one === said);
  if (role === undefined)
    return { access: null, errors: { role: "There is no such role; use viewer, operator or admin." } };
  if (formText(form, `${prefix}scope`) !== "part") return { access: { role, ...everyMachine }, errors: {} };
  const [sites, tags] = [names(form, `${prefix}sites`), names(form, `${prefix}tags`)];
  const refused = (scope: string) => ({ access: null, errors: { scope } });
  if (sites.length + tags.length === 0)
    return refused("No site and no tag is given, so no machine would be seen; use e.g. the site Bern.");
  if (sites.length > 200 || tags.length > 200)
    return refused("More than 200 names are given; use e.g. a tag for them.");
  if ([...sites, ...tags].some((name) => name.length > 200)) return refused("A name has more than 200 characters.");
  return {
    access: { role, sites: sites.length > 0 ? sites : null, tags: tags.length > 0 ? tags : null },
    errors: {},
  };
}
