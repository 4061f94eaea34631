import { type FilterField, type FilterTerm, type FilterValue, filterFields } from "@lynceus/protocol/filter";
import { Prisma } from "./client.ts";

/** A field of the filter language that the machines table cannot answer yet. */
export class FilterFieldError extends Error {
  override readonly name = "FilterFieldError";
}

type TextValue = Extract<FilterValue, { kind: "text" }>;
type RangeValue = Extract<FilterValue, { kind: "range" }>;
type SubnetValue = Extract<FilterValue, { kind: "subnet" }>;

/** How one field reads the columns of `machines m`. */
interface FieldSql {
  /** What its values are, for completion and groups, over `machines m` and its `machine_traits t`; null where they are not listed. */
  readonly value: Prisma.Sql | null;
  /** True where the field was not observed. */
  readonly unknown: Prisma.Sql;
  /** True where it was observed and there is none. */
  readonly none: Prisma.Sql;
  readonly text?: (value: TextValue, field: FilterField) => Prisma.Sql;
  readonly range?: (value: RangeValue) => Prisma.Sql;
  readonly subnet?: (value: SubnetValue) => Prisma.Sql;
}

const never = Prisma.sql`FALSE`;

/** A LIKE pattern of a needle in which nothing is special. */
function likePattern(value: TextValue): string {
  const needle = value.needle.toLowerCase().replace(/[\\%_]/g, "\\$&");
  const head = value.match === "suffix" || value.match === "contains" ? "%" : "";
  const tail = value.match === "prefix" || value.match === "contains" ? "%" : "";
  return head + needle + tail;
}

const matchesText = (column: Prisma.Sql, value: TextValue): Prisma.Sql =>
  value.match === "exact"
    ? Prisma.sql`lower(${column}) = ${value.needle.toLowerCase()}`
    : Prisma.sql`lower(${column}) LIKE ${likePattern(value)}`;

/** The values of an enumeration that a value names, wildcards resolved: what is left is an equality. */
function enumValues(value: TextValue, field: FilterField): string[] {
  const info = filterFields[field];
  const all: readonly string[] = "values" in info ? info.values : [];
  const { needle } = value;
  return all.filter((one) =>
    value.match === "exact"
      ? one === needle
      : value.match === "prefix"
        ? one.startsWith(needle)
        : value.match === "suffix"
          ? one.endsWith(needle)
          : one.includes(needle),
  );
}

const isNull = (column: Prisma.Sql) => Prisma.sql`${column} IS NULL`;

const textField = (column: Prisma.Sql, unknown = isNull(column), none = never): FieldSql => ({
  value: column,
  unknown,
  none,
  text: (value) => matchesText(column, value),
});

const enumField = (column: Prisma.Sql, unknown = isNull(column), none = never): FieldSql => ({
  value: column,
  unknown,
  none,
  text: (value, field) => Prisma.sql`${column} = ANY (${enumValues(value, field)}::text[])`,
});

function rangeField(column: Prisma.Sql, bind: (value: number) => Prisma.Sql): FieldSql {
  return {
    value: null,
    unknown: isNull(column),
    none: never,
    range: ({ min, max }) => {
      const parts: Prisma.Sql[] = [];
      if (min)
        parts.push(
          min.inclusive ? Prisma.sql`${column} >= ${bind(min.value)}` : Prisma.sql`${column} > ${bind(min.value)}`,
        );
      if (max)
        parts.push(
          max.inclusive ? Prisma.sql`${column} <= ${bind(max.value)}` : Prisma.sql`${column} < ${bind(max.value)}`,
        );
      return parts.length > 0 ? Prisma.sql`(${Prisma.join(parts, " AND ")})` : Prisma.sql`TRUE`;
    },
  };
}

/** That the machine has a row of `machine_traits` for which a condition over `x` holds. */
const hasTraits = (condition: Prisma.Sql) =>
  Prisma.sql`EXISTS (SELECT FROM machine_traits x WHERE x.machine_id = m.id AND ${condition})`;

/** A field of `machine_traits`: a condition looks there by itself, whatever query it stands in. */
function traitField(name: string, field: (column: Prisma.Sql, unknown: Prisma.Sql) => FieldSql): FieldSql {
  const column = Prisma.sql`x.${Prisma.raw(name)}`;
  const { text, range, value } = field(column, never);
  return {
    value: value && Prisma.sql`t.${Prisma.raw(name)}`,
    unknown: Prisma.sql`NOT ${hasTraits(Prisma.sql`${column} IS NOT NULL`)}`,
    none: never,
    ...(text && { text: (wanted, of) => hasTraits(text(wanted, of)) }),
    ...(range && { range: (wanted) => hasTraits(range(wanted)) }),
  };
}

const timeField = (column: Prisma.Sql) => rangeField(column, (at) => Prisma.sql`${new Date(at)}::timestamptz`);

/** A machine that cannot be told has no finding because nobody could look; any other has none because there is none. */
const findingField = (
  column: Prisma.Sql,
  field: (column: Prisma.Sql, unknown: Prisma.Sql, none: Prisma.Sql) => FieldSql,
) =>
  field(
    column,
    Prisma.sql`(${column} IS NULL AND m.status = 'cannot-tell')`,
    Prisma.sql`(${column} IS NULL AND m.status <> 'cannot-tell')`,
  );

/** Incident numbers, as text, of the open incidents that a machine is in. */
const openIncidents = Prisma.sql`SELECT i.number::text AS number FROM incident_members b JOIN incidents i ON i.number = b.incident
  WHERE b.machine_id = m.id AND b.left_at IS NULL AND i.ended_at IS NULL`;

const steps = Prisma.sql`ARRAY['dns','tcp','connect','tls','http','auth']`;
/** The mini chain has a letter a step; `f` is a failure. */
const firstFailed = Prisma.sql`(${steps})[nullif(position('f' in m.chain_configured), 0)]`;

/** A script that is named as a file is not fetched and has no hash; it is a script all the same. */
const namesPacFile = Prisma.sql`m.patterns @> ARRAY['pac-file-url']`;

const fields: Partial<Record<FilterField, FieldSql>> = {
  status: enumField(Prisma.sql`m.status`, never),
  severity: findingField(Prisma.sql`m.primary_severity`, enumField),
  primary: findingField(Prisma.sql`m.primary_pattern`, enumField),
  confidence: findingField(Prisma.sql`m.primary_confidence`, enumField),
  cause: findingField(Prisma.sql`m.primary_cause`, textField),
  pattern: {
    value: Prisma.sql`unnest(m.patterns)`,
    unknown: Prisma.sql`(cardinality(m.patterns) = 0 AND m.status = 'cannot-tell')`,
    none: Prisma.sql`(cardinality(m.patterns) = 0 AND m.status <> 'cannot-tell')`,
    text: (value, field) => Prisma.sql`m.patterns && ${enumValues(value, field)}::text[]`,
  },
  incident: {
    value: null,
    unknown: never,
    none: Prisma.sql`NOT EXISTS (${openIncidents})`,
    text: (value) =>
      Prisma.sql`EXISTS (SELECT FROM (${openIncidents}) o WHERE ${matchesText(Prisma.sql`o.number`, value)})`,
  },
  // A machine that was never seen has shown no address yet; a seen one without a site is in none of the admin's.
  // A site's spelling is looked up among the few that there are, so that its machines are found by their index.
  site: {
    ...textField(
      Prisma.sql`m.site`,
      Prisma.sql`(m.site IS NULL AND m.last_seen_at IS NULL)`,
      Prisma.sql`(m.site IS NULL AND m.last_seen_at IS NOT NULL)`,
    ),
    text: (value) => Prisma.sql`m.site = ANY (ARRAY(
      SELECT site FROM fleet_cells WHERE site <> '' AND ${matchesText(Prisma.sql`site`, value)}
      UNION SELECT site FROM fleet_cell_changes WHERE site <> '' AND ${matchesText(Prisma.sql`site`, value)}))`,
  },
  location: enumField(Prisma.sql`m.location`, never),
  route: textField(Prisma.sql`m.route`),
  pac: {
    value: Prisma.sql`m.pac_hash`,
    unknown: Prisma.sql`(m.pac_hash IS NULL AND m.route IS NULL AND NOT ${namesPacFile})`,
    none: Prisma.sql`(m.pac_hash IS NULL AND m.route IS NOT NULL AND NOT ${namesPacFile})`,
    text: (value) => (value.needle === "file" ? namesPacFile : matchesText(Prisma.sql`m.pac_hash`, value)),
  },
  verdict: enumField(Prisma.sql`m.verdict_configured`),
  direct: enumField(Prisma.sql`m.verdict_direct`),
  step: {
    ...enumField(firstFailed),
    unknown: Prisma.sql`m.chain_configured IS NULL`,
    none: Prisma.sql`(m.chain_configured IS NOT NULL AND position('f' in m.chain_configured) = 0)`,
  },
  target: {
    value: Prisma.sql`unnest(t.failed_targets)`,
    unknown: Prisma.sql`NOT ${hasTraits(Prisma.sql`TRUE`)}`,
    none: never,
    // Names of targets are lower case (protocol/facts.ts), so a whole one is looked for without a query for each machine.
    text: (value) =>
      hasTraits(
        value.match === "exact"
          ? Prisma.sql`${value.needle.toLowerCase()} = ANY (x.failed_targets)`
          : Prisma.sql`EXISTS (SELECT FROM unnest(x.failed_targets) f WHERE ${matchesText(Prisma.sql`f`, value)})`,
      ),
  },
  issuer: textField(Prisma.sql`m.tls_issuer`),
  resolver: traitField("resolver", textField),
  server: traitField("back_end", textField),
  winhttp: traitField("winhttp", textField),
  by: traitField("chosen_by", enumField),
  zone: traitField("zone", enumField),
  subnet: {
    value: Prisma.sql`t.subnet`,
    unknown: Prisma.sql`NOT ${hasTraits(Prisma.sql`x.private_address IS NOT NULL`)}`,
    none: never,
    subnet: ({ cidr }) => hasTraits(Prisma.sql`x.private_address::inet <<= ${cidr}::inet`),
  },
  os: enumField(Prisma.sql`m.os`, never),
  agent: textField(Prisma.sql`m.agent_version`, Prisma.sql`m.agent_version = ''`),
  tag: {
    value: Prisma.sql`unnest(m.tags)`,
    unknown: never,
    none: Prisma.sql`cardinality(m.tags) = 0`,
    text: (value) => Prisma.sql`m.tags && ARRAY(SELECT name FROM tags WHERE ${matchesText(Prisma.sql`name`, value)})`,
  },
  simulated: enumField(Prisma.sql`CASE WHEN m.simulated THEN 'yes' ELSE 'no' END`, never),
  name: textField(Prisma.sql`m.hostname`, never),
  since: timeField(Prisma.sql`m.status_since`),
  seen: timeField(Prisma.sql`m.last_seen_at`),
  changed: traitField("settings_changed_at", timeField),
  ms: rangeField(Prisma.sql`m.answer_ms`, (ms) => Prisma.sql`${ms}::float8`),
  skew: rangeField(Prisma.sql`m.clock_skew_ms`, (ms) => Prisma.sql`${ms}::float8`),
};

/** The fields that `listMachines` answers. */
export const supportedFields = Object.keys(fields) as FilterField[];

export function fieldSql(field: FilterField): FieldSql {
  const found = fields[field];
  if (!found)
    throw new FilterFieldError(
      `machines cannot be filtered by "${field}" yet; fields are ${supportedFields.join(", ")}; such as ${filterFields.status.example}`,
    );
  return found;
}

function termSql(term: FilterTerm): Prisma.Sql {
  const field = fieldSql(term.field);
  const any = term.values.map((value) => {
    if (value.kind === "unknown") return field.unknown;
    if (value.kind === "none") return field.none;
    const matched =
      value.kind === "text"
        ? field.text?.(value, term.field)
        : value.kind === "range"
          ? field.range?.(value)
          : field.subnet?.(value);
    if (!matched)
      throw new FilterFieldError(
        `"${value.text}" is no value of ${term.field}; such as ${filterFields[term.field].example}`,
      );
    return matched;
  });
  const matches = Prisma.sql`(${Prisma.join(any, " OR ")})`;
  // What was not observed is never matched by a negated term; a comparison with NULL counts as no match.
  return term.negated ? Prisma.sql`(NOT coalesce(${matches}, FALSE) AND NOT (${field.unknown}))` : matches;
}

/**
 * Filter terms as a condition over `machines m`, values as parameters only. Fields compare without regard to case;
 * `-field:x` never matches what was not observed. Throws a FilterFieldError for a field that has no column.
 */
export function filterSql(terms: readonly FilterTerm[]): Prisma.Sql {
  return terms.length === 0 ? Prisma.sql`TRUE` : Prisma.join(terms.map(termSql), " AND ");
}
