import type { AlertingConfig, AlertingProblem } from "@lynceus/protocol/alerting";

/*
 * The alerting configuration is one document and is edited piece by piece: a receiver, a route, a person. A piece is found
 * by its kind and id; what holds for the installation as a whole is the piece `limits`, of which there is one.
 */

export const listKinds = ["receivers", "people", "schedules", "escalations", "routes", "inhibitions"] as const;
export type ListKind = (typeof listKinds)[number];
export type PieceKind = ListKind | "limits";

export const isListKind = (text: string): text is ListKind => (listKinds as readonly string[]).includes(text);
export const isPieceKind = (text: string): text is PieceKind => text === "limits" || isListKind(text);

/** One of a kind, as a person calls it. */
export const kindWords: Readonly<Record<PieceKind, string>> = {
  receivers: "receiver",
  people: "person",
  schedules: "schedule",
  escalations: "escalation",
  routes: "route",
  inhibitions: "rule of inhibition",
  limits: "limits",
};

/** A piece as it stands in the configuration; null where it is not there. */
export function pieceOf(config: AlertingConfig, kind: PieceKind, id: string): unknown {
  if (kind === "limits") return { ...config.settings, importantTags: config.importantTags };
  return config[kind].find((one) => one.id === id) ?? null;
}

/** Where a piece of a list stands; −1 where it does not. */
const placeOf = (config: AlertingConfig, kind: ListKind, id: string) => config[kind].findIndex((one) => one.id === id);

/**
 * The configuration with a piece put in: in the place of the one of this id, or as a new one for the id "". A new route goes
 * before the first that matches everything, behind which it would never be asked. `prefix`: where it stands, as problems
 * name it. It is not checked here.
 */
export function withPiece(
  config: AlertingConfig,
  kind: PieceKind,
  id: string,
  piece: unknown,
): { readonly config: unknown; readonly prefix: string } {
  if (kind === "limits") {
    const { importantTags, ...settings } = (piece ?? {}) as { importantTags?: unknown };
    return { config: { ...config, settings, importantTags: importantTags ?? [] }, prefix: "settings" };
  }
  const list: unknown[] = [...config[kind]];
  const place = id === "" ? -1 : placeOf(config, kind, id);
  const catchAll = kind === "routes" ? config.routes.findIndex(({ match }) => match.trim() === "") : -1;
  const at = place >= 0 ? place : catchAll >= 0 ? catchAll : list.length;
  list.splice(at, place >= 0 ? 1 : 0, piece);
  return { config: { ...config, [kind]: list }, prefix: `${kind}.${at}` };
}

/** The configuration without a piece. It is not checked here: something may still name it. */
export const withoutPiece = (config: AlertingConfig, kind: ListKind, id: string): unknown => ({
  ...config,
  [kind]: (config[kind] as { id: string }[]).filter((one) => one.id !== id),
});

/** The configuration with a route one place earlier (−1) or later (1); null where it cannot be moved so. */
export function withRouteMoved(config: AlertingConfig, id: string, by: -1 | 1): AlertingConfig | null {
  const at = placeOf(config, "routes", id);
  const routes = [...config.routes];
  const [route] = routes.splice(at, 1);
  if (at < 0 || route === undefined || at + by < 0 || at + by > routes.length) return null;
  routes.splice(at + by, 0, route);
  return { ...config, routes };
}

/** Names of what refers to a piece: "route Everything else". */
export function usersOf(config: AlertingConfig, kind: ListKind, id: string): string[] {
  const { people, schedules, escalations, routes, settings } = config;
  const named = <One extends { readonly name: string }>(
    word: string,
    list: readonly One[],
    uses: (one: One) => boolean,
  ) => list.filter(uses).map(({ name }) => `${word} ${name}`);
  const targets = (key: "person" | "schedule" | "receiver") =>
    named("escalation", escalations, ({ steps }) =>
      steps.some((step) => step.targets.some((target) => (target as Record<string, string>)[key] === id)),
    );
  switch (kind) {
    case "receivers":
      return [
        ...named("route", routes, (route) => route.receivers.includes(id)),
        ...named("person", people, (person) => person.receivers.includes(id)),
        ...targets("receiver"),
        ...(settings.fallback.includes(id) ? ["the fallback"] : []),
        ...(settings.changeReceivers.includes(id) ? ["changes of settings"] : []),
      ];
    case "people":
      return [
        ...named("schedule", schedules, (one) =>
          [...one.layers.flatMap((layer) => layer.people), ...one.overrides.map(({ person }) => person)].includes(id),
        ),
        ...targets("person"),
      ];
    case "schedules":
      return targets("schedule");
    case "escalations":
      return named("route", routes, ({ escalation }) => escalation === id);
    default:
      return [];
  }
}

/** Problems of one piece by the path inside it, and what is wrong elsewhere because of it. */
export function sortProblems(
  problems: readonly AlertingProblem[],
  prefix: string,
): { readonly inside: AlertingProblem[]; readonly elsewhere: AlertingProblem[] } {
  const inside: AlertingProblem[] = [];
  const elsewhere: AlertingProblem[] = [];
  for (const problem of problems)
    if (problem.path === prefix || problem.path.startsWith(`${prefix}.`))
      inside.push({ ...problem, path: problem.path.slice(prefix.length + 1) });
    else if (prefix === "settings" && problem.path.startsWith("importantTags")) inside.push(problem);
    else elsewhere.push(problem);
  return { inside, elsewhere };
}
