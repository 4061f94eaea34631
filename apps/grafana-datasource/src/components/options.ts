import type { ComboboxOption } from "@grafana/ui";
import type { CountGroup, CountStatus, TargetMeasure } from "@lynceus/protocol/counts";
import type { ChangeKind } from "@lynceus/protocol/read-api";
import type { LynceusDataSource } from "../datasource";
import type { EventKind, QueryKind } from "../types";

const option = <T extends string>(value: T, label: string, description?: string): ComboboxOption<T> => ({
  value,
  label,
  ...(description === undefined ? {} : { description }),
});

export const kindOptions: ComboboxOption<Exclude<QueryKind, "events">>[] = [
  option("counts", "Counts over time", "Machines by state, site, pattern or proxy"),
  option("targets", "Targets over time", "How available they were, and how fast they answered"),
  option("machines", "Machines", "A table of those that match a filter now"),
  option("values", "Machines by a value", "How many have each site, proxy, agent version … now"),
  option("incidents", "Incidents", "One cause is one incident, however many machines it has"),
  option("causes", "Shared causes", "What failing machines have and healthy ones have not"),
  option("changes", "Changes", "What changed on machines in the span that is shown"),
];

export const countGroupOptions: ComboboxOption<CountGroup>[] = [
  option("status", "State"),
  option("site", "Site"),
  option("pattern", "Pattern", "Primary finding"),
  option("proxy", "Proxy", "Configured route of EWS"),
  option("none", "Nothing", "One line"),
];

export const statusOptions: ComboboxOption<CountStatus>[] = [
  option("failing", "failing", "Credential prompts expected"),
  option("stale", "stale", "Silent longer than three intervals"),
  option("cannot-tell", "cannot tell", "The facts do not allow a verdict"),
  option("healthy", "healthy"),
  option("at-risk", "at risk", "Healthy, with a finding"),
  option("signed-off", "signed off", "Said goodbye"),
  option("reporting", "reporting", "Healthy, failing, stale and cannot tell together"),
];

export const measureOptions: ComboboxOption<TargetMeasure>[] = [
  option("availability", "Availability", "Share of good answers among those that say something"),
  option("latency", "Latency", "Time of good answers"),
  option("answers", "Answers", "How many were good, bad, or prove neither"),
];
export const targetGroupOptions: ComboboxOption<"none" | "target" | "site">[] = [
  option("target", "Target"),
  option("site", "Site"),
  option("none", "Nothing", "One line"),
];
export const viaOptions: ComboboxOption<"configured" | "direct">[] = [
  option("configured", "Configured", "The way that the proxy settings give"),
  option("direct", "Direct", "Past every proxy"),
];
export const quantileOptions: ComboboxOption[] = [
  option("0.5", "median"),
  option("0.75", "p75"),
  option("0.9", "p90"),
  option("0.95", "p95"),
  option("0.99", "p99"),
];

export const sortOptions: ComboboxOption[] = [
  option("-since", "Newest state first"),
  option("since", "Longest in this state first"),
  option("name", "Name"),
  option("status", "State, worst first"),
  option("severity", "Severity, worst first"),
  option("site", "Site"),
  option("-seen", "Seen last first"),
];

export const changeOptions: ComboboxOption<ChangeKind>[] = [
  option("settings", "Proxy settings"),
  option("script", "Proxy script"),
  option("certificate", "Certificate"),
  option("dns", "Name resolution"),
  option("agent", "Agent version"),
  option("system", "System"),
  option("policy", "Policy"),
];

export const eventOptions: ComboboxOption<EventKind>[] = [
  option("incidents", "Incidents", "From when they opened until they ended"),
  option("causes", "Shared causes", "From the first failure until they cease"),
  option("changes", "Changes", "From the first machine that took it to the last"),
];

const holding = <T extends string>(options: readonly ComboboxOption<T>[], search: string): ComboboxOption<T>[] =>
  options.filter(({ value, label }) => `${value} ${label ?? ""}`.toLowerCase().includes(search.toLowerCase()));

/** A fixed list, as a field asks for it while somebody types. */
export const listed =
  (options: readonly ComboboxOption[]) =>
  (search: string): Promise<ComboboxOption[]> =>
    Promise.resolve(holding(options, search));

/** Values that machines have, with how many have each. */
export const valuesOf =
  (datasource: LynceusDataSource, field: string) =>
  async (search: string): Promise<ComboboxOption[]> =>
    (await datasource.fieldValues(field, "", search))
      .filter(({ value }) => value !== "none" && value !== "unknown")
      .map(({ value, machines }) =>
        option(value, value, machines === null ? undefined : `${machines.toLocaleString("en")} machines`),
      );

export const targetsOf =
  (datasource: LynceusDataSource) =>
  async (search: string): Promise<ComboboxOption[]> =>
    holding(
      (await datasource.targetRefs()).map(({ id, host }) => option(id, id, host)),
      search,
    );
