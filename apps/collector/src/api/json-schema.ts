import * as z from "zod";

/** What zod passes: a schema and the JSON Schema that it made of it, to be changed in place. */
interface Made {
  zodSchema: z.core.$ZodTypes;
  jsonSchema: Record<string, unknown>;
}

const safe = Number.MAX_SAFE_INTEGER;

/** A count for each of a closed list of names: as properties, which clients and linters understand, not as a rule for names. */
function namedProperties({ zodSchema, jsonSchema }: Made): void {
  if (zodSchema._zod.def.type !== "record") return;
  const { keyType } = zodSchema._zod.def;
  if (keyType._zod.def.type !== "enum") return;
  const names = Object.values((keyType._zod.def as z.core.$ZodEnumDef).entries);
  jsonSchema.properties = Object.fromEntries(names.map((name) => [name, jsonSchema.additionalProperties]));
  delete jsonSchema.propertyNames;
  delete jsonSchema.additionalProperties;
}

/** What our JSON Schemas say differently from what zod makes of itself. */
export function readable(made: Made): void {
  const { zodSchema, jsonSchema } = made;
  const meta = z.core.globalRegistry.get(zodSchema);
  if (meta?.description) jsonSchema.description ??= meta.description;
  namedProperties(made);
  // A format says it; its expression fills half a screen.
  if (jsonSchema.format) delete jsonSchema.pattern;
  // Of every integer.
  if (jsonSchema.minimum === -safe) delete jsonSchema.minimum;
  if (jsonSchema.maximum === safe) delete jsonSchema.maximum;
  // Fields are added: a client ignores what it does not know. What is sent is checked more strictly where we say so.
  if (zodSchema._zod.def.type === "object" && !zodSchema._zod.def.catchall) delete jsonSchema.additionalProperties;
}
