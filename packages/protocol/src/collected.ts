import * as z from "zod";
import { blobPlaces, type CollectedGroupId, collectedTexts } from "./collected-texts.ts";
import {
  confirmationSchema,
  pacFactsSchema,
  probeFactsSchema,
  rawObservationSchema,
  settingsFactsSchema,
  systemFactsSchema,
  wpadFactsSchema,
} from "./facts.ts";
import { agentMessageSchema } from "./messages.ts";

/** One value that an agent sends, as its schema names it. */
export interface CollectedField {
  /** `tls.issuerCN`, `blob.server` */
  readonly path: string;
  /** `text, up to 256`, `true or false`, `one of a, b` */
  readonly type: string;
  /** What it is, for whoever is not of the trade. */
  readonly text: string;
}

type Field = Omit<CollectedField, "text">;

interface Shape {
  type?: string | string[];
  properties?: Record<string, Shape>;
  items?: Shape;
  anyOf?: Shape[];
  oneOf?: Shape[];
  allOf?: Shape[];
  enum?: unknown[];
  const?: unknown;
  pattern?: string;
  maxLength?: number;
  additionalProperties?: Shape | boolean;
  $ref?: string;
  $defs?: Record<string, Shape>;
}

/** What a value may be, in words. */
function wordOf(shape: Shape): string {
  if (shape.const !== undefined) return `"${String(shape.const)}"`;
  if (shape.enum) return `one of ${shape.enum.map(String).join(", ")}`;
  const type = Array.isArray(shape.type) ? shape.type.find((one) => one !== "null") : shape.type;
  if (type === "boolean") return "true or false";
  if (type === "integer" || type === "number") return "number";
  if (type === "string")
    return shape.maxLength === undefined ? "text of a fixed form" : `text, up to ${shape.maxLength}`;
  return "value";
}

function walk(shape: Shape, path: string, root: Shape, into: Field[]): void {
  if (shape.$ref) {
    const named = root.$defs?.[shape.$ref.replace("#/$defs/", "")];
    if (named) walk(named, path, root, into);
    return;
  }
  const choices = [...(shape.anyOf ?? []), ...(shape.oneOf ?? []), ...(shape.allOf ?? [])].filter(
    ({ type }) => type !== "null",
  );
  const structured = choices.filter((one) => one.properties || one.items || one.$ref || one.anyOf);
  if (structured.length > 0) {
    for (const one of structured) walk(one, path, root, into);
    return;
  }
  if (choices.length > 0) {
    into.push({ path, type: [...new Set(choices.map(wordOf))].join(", or ") });
    return;
  }
  if (shape.properties) {
    for (const [key, inner] of Object.entries(shape.properties))
      walk(inner, path === "" ? key : `${path}.${key}`, root, into);
    return;
  }
  if (shape.items) {
    walk(shape.items, `${path}[]`, root, into);
    return;
  }
  if (typeof shape.additionalProperties === "object" && shape.additionalProperties !== null) {
    walk(shape.additionalProperties, `${path}.*`, root, into);
    return;
  }
  into.push({ path, type: wordOf(shape) });
}

/** Every value that a schema lets through by name, in its order. */
function fieldsOf(schema: z.ZodType): Field[] {
  const root = z.toJSONSchema(schema, { io: "input", unrepresentable: "any" }) as Shape;
  const fields: Field[] = [];
  walk(root, "", root, fields);
  return fields;
}

/** A group of values that are sent together. */
export interface CollectedGroup {
  readonly id: CollectedGroupId;
  readonly title: string;
  readonly fields: readonly CollectedField[];
}

/** The name under which a value is told of: the same settings at several places have one. */
export function collectedName(path: string): string {
  const place = blobPlaces.find((each) => path.startsWith(`${each}.`));
  return place === undefined ? path : `blob${path.slice(place.length)}`;
}

function group(id: CollectedGroupId, title: string, fields: readonly Field[]): CollectedGroup {
  const byName = new Map(fields.map((field) => [collectedName(field.path), field.type]));
  const texts = collectedTexts[id];
  return { id, title, fields: [...byName].map(([path, type]) => ({ path, type, text: texts[path] ?? "" })) };
}

/**
 * Everything that an agent sends, read from the schemas that the collector checks it by: what is not in them, an agent of
 * this version does not send.
 */
export function collected(): readonly CollectedGroup[] {
  return [
    group("system", "The computer", fieldsOf(systemFactsSchema)),
    group("settings", "Proxy settings", fieldsOf(settingsFactsSchema)),
    group("pac", "Proxy script", fieldsOf(pacFactsSchema)),
    group("wpad", "Automatic detection", fieldsOf(wpadFactsSchema)),
    group("probe", "Probes of the policy's targets", fieldsOf(probeFactsSchema)),
    group("observation", "With each of these", [
      ...fieldsOf(rawObservationSchema).filter(({ path }) => path !== "facts"),
      ...fieldsOf(confirmationSchema),
    ]),
    group("link", "Connection to the collector", linkFields()),
  ];
}

/** What the messages beside observations carry, each under its type. */
function linkFields(): Field[] {
  return agentMessageSchema.options
    .filter((option) => option.shape.type.value !== "observations")
    .flatMap((option) =>
      fieldsOf(option)
        .filter(({ path }) => path !== "v" && path !== "type" && !path.startsWith("answers[].facts."))
        .map((field) => ({ ...field, path: `${option.shape.type.value}: ${field.path}` })),
    );
}
