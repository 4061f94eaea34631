import type * as z from "zod";
import { type Notice, noticeIncidentSchema, noticeSchema } from "./notice.ts";

/*
 * The body of a webhook in the receiver's own form: any JSON, in whose strings `{{path}}` stands for a field of the
 * notice. No conditions, loops or code. The template is parsed JSON, so that a value can never break out of its string.
 *
 *   { "title": "{{headline}}", "count": "{{incident.machines}}", "text": "{{incident.title}}, since {{incident.since}}" }
 *
 * A string that is one place alone becomes the value itself (347, an array, null); inside a longer string it becomes
 * text, and what is not there becomes nothing.
 */

export type Json = z.infer<ReturnType<typeof z.json>>;

const changeShape = noticeSchema.shape.change.unwrap().shape;

/** Every path that a template may name. */
export const templatePaths: readonly string[] = [
  ...Object.keys(noticeSchema.shape),
  ...Object.keys(noticeIncidentSchema.shape).map((name) => `incident.${name}`),
  ...Object.keys(changeShape).map((name) => `change.${name}`),
];
const known = new Set(templatePaths);

/** Bounds of a template: it is written by hand, and each value may be a few kilobytes. */
export const templateLimits = { chars: 16 * 1024, depth: 12, places: 100 } as const;

const place = /\{\{\s*([^{}]*?)\s*\}\}/g;

export interface TemplateIssue {
  readonly path: readonly (string | number)[];
  readonly message: string;
}

/** The first thing that is wrong with a template, or null. */
export function templateIssue(template: unknown): TemplateIssue | null {
  if (JSON.stringify(template).length > templateLimits.chars)
    return { path: [], message: `the template is longer than ${templateLimits.chars} characters` };
  let places = 0;
  const walk = (value: unknown, path: readonly (string | number)[]): TemplateIssue | null => {
    if (path.length > templateLimits.depth)
      return { path, message: `the template is nested deeper than ${templateLimits.depth}` };
    if (typeof value === "string") {
      for (const [, name = ""] of value.matchAll(place)) {
        places += 1;
        if (!known.has(name))
          return { path, message: `"{{${name.slice(0, 60)}}}" is no field of a notice; use e.g. {{incident.title}}` };
      }
      if (places > templateLimits.places) return { path, message: `more than ${templateLimits.places} fields` };
      return /\{\{|\}\}/.test(value.replace(place, ""))
        ? { path, message: `"${value.slice(0, 60)}" has {{ or }} without its other half; use e.g. {{incident.title}}` }
        : null;
    }
    if (value === null || typeof value !== "object") return null;
    for (const [key, child] of Object.entries(value)) {
      const issue = walk(child, [...path, Array.isArray(value) ? Number(key) : key]);
      if (issue) return issue;
    }
    return null;
  };
  return walk(template, []);
}

function valueAt(notice: Notice, path: string): Json {
  const [first = "", second] = path.split(".");
  const top = (notice as unknown as Record<string, Json | undefined>)[first] ?? null;
  if (second === undefined) return top;
  return (top as Record<string, Json | undefined> | null)?.[second] ?? null;
}

const textOf = (value: Json): string =>
  value === null ? "" : typeof value === "object" ? JSON.stringify(value) : String(value);

/**
 * A template filled with a notice.
 * @example renderTemplate({ n: "{{incident.machines}}" }, notice) // { n: 347 }
 */
export function renderTemplate(template: Json, notice: Notice): Json {
  if (typeof template === "string") {
    const alone = /^\{\{\s*([^{}]*?)\s*\}\}$/.exec(template)?.[1];
    if (alone !== undefined) return valueAt(notice, alone);
    return template.replace(place, (_whole, path: string) => textOf(valueAt(notice, path)));
  }
  if (Array.isArray(template)) return template.map((item) => renderTemplate(item, notice));
  if (template === null || typeof template !== "object") return template;
  return Object.fromEntries(Object.entries(template).map(([key, value]) => [key, renderTemplate(value, notice)]));
}
