import {
  type AlertingConfig,
  type AlertingProblem,
  alertSettingsSchema,
  escalationSchema,
  inhibitionSchema,
  maintenanceSchema,
  parseAlerting,
  personSchema,
  routeSchema,
  scheduleSchema,
} from "@lynceus/protocol/alerting";
import { receiverSchema } from "@lynceus/protocol/receivers";
import { parseDocument, stringify } from "yaml";

/* The alerting configuration as one YAML file: to keep it under version control, and to move it to another installation. */

/** Characters of a file; more is refused before it is read. */
export const maxYamlChars = 1024 * 1024;

const head = `# Who is told of incidents (docs/alerting.md). Secrets are not in here: an import keeps those of receivers with the same id.
`;

/** A configuration as YAML; what is as the default has it is left out. */
export function alertingToYaml(config: AlertingConfig): string {
  return head + stringify(withoutDefaults(config), { lineWidth: 100 });
}

/** What reads one part alone, so that leaving something out can be tried. */
const parts = {
  receivers: receiverSchema,
  people: personSchema,
  schedules: scheduleSchema,
  escalations: escalationSchema,
  routes: routeSchema,
  maintenance: maintenanceSchema,
  inhibitions: inhibitionSchema,
};

interface Schema {
  safeParse(value: unknown): { success: boolean; data?: unknown };
}

/** A value without what reading it fills in again: asked of its schema key by key, so that no list of defaults is kept here. */
function short(schema: Schema, value: unknown): unknown {
  const plain = JSON.parse(JSON.stringify(value)) as Record<string, unknown>;
  const whole = JSON.stringify(value);
  const isSame = () => JSON.stringify(schema.safeParse(plain).data) === whole;
  const strip = (own: unknown): void => {
    if (typeof own !== "object" || own === null) return;
    for (const [key, kept] of Object.entries(own)) {
      strip(kept);
      if (Array.isArray(own)) continue;
      delete (own as Record<string, unknown>)[key];
      if (!isSame()) (own as Record<string, unknown>)[key] = kept;
    }
  };
  strip(plain);
  return plain;
}

function withoutDefaults(config: AlertingConfig): Record<string, unknown> {
  const found: Record<string, unknown> = {};
  for (const [key, schema] of Object.entries(parts)) {
    const list = config[key as keyof typeof parts];
    if (list.length > 0) found[key] = list.map((one) => short(schema, one));
  }
  if (config.importantTags.length > 0) found.importantTags = config.importantTags;
  const settings = short(alertSettingsSchema, config.settings) as object;
  if (Object.keys(settings).length > 0) found.settings = settings;
  return found;
}

/**
 * Reads YAML of unknown origin: the configuration, or everything that is wrong with it. Anchors and aliases are refused:
 * a short text must not become a long one.
 */
export function alertingFromYaml(
  text: string,
):
  | { readonly config: AlertingConfig; readonly problems: [] }
  | { readonly config: null; readonly problems: AlertingProblem[] } {
  const refuse = (message: string) => ({ config: null, problems: [{ path: "", message }] });
  if (text.length > maxYamlChars)
    return refuse(`the file has ${text.length} characters; at most ${maxYamlChars} are read`);
  const document = parseDocument(text, { logLevel: "error", prettyErrors: true, uniqueKeys: true });
  const [error] = document.errors;
  if (error) return refuse(error.message.split("\n", 1)[0] ?? "it is not YAML");
  try {
    return parseAlerting(document.toJS({ maxAliasCount: 0 }));
  } catch (cause) {
    return refuse(cause instanceof Error ? `anchors and aliases are not read: ${cause.message}` : "it is not YAML");
  }
}
