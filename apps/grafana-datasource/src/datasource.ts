import {
  type CoreApp,
  type DataFrame,
  type DataQueryRequest,
  type DataQueryResponse,
  DataSourceApi,
  type DataSourceInstanceSettings,
  LoadingState,
  type QueryResultMetaNotice,
  type ScopedVars,
} from "@grafana/data";
import { config, getTemplateSrv } from "@grafana/runtime";
import type { Cause, FleetChange, MachineRow } from "@lynceus/protocol/read-api";
import type { Incident } from "@lynceus/protocol/read-api-incidents";
import type { About, FieldValue, SeriesAnswer, TargetRef } from "@lynceus/protocol/series";
import {
  catchError,
  concat,
  EMPTY,
  expand,
  firstValueFrom,
  forkJoin,
  from,
  map,
  merge,
  type Observable,
  of,
  reduce,
  scan,
  shareReplay,
  startWith,
  switchMap,
  throttleTime,
} from "rxjs";
import { annotationSupport } from "./annotations";
import { Api, type Parameters } from "./api";
import { causesFrame, changesFrame } from "./frames/causes";
import { eventsFrame, type FleetEvent } from "./frames/events";
import { incidentsFrame } from "./frames/incidents";
import { machinesFrame } from "./frames/machines";
import { noticesOf, type SeriesFrameOptions, timesOf, wideFrame } from "./frames/series";
import { valuesFrame } from "./frames/values";
import { type Health, healthOf, healthOfFailure } from "./health";
import { interpolate } from "./interpolate";
import { safeBase, seriesLinks } from "./links";
import { LiveFeed, socketUrl } from "./live";
import { complete, problemOf, restricting, textOf, withoutAll } from "./query";
import { type SeriesState, withCounts } from "./stream";
import type {
  CausesQuery,
  ChangesQuery,
  CountsQuery,
  EventsQuery,
  IncidentsQuery,
  LynceusOptions,
  LynceusQuery,
  MachinesQuery,
  TargetsQuery,
  ValuesQuery,
} from "./types";
import { LynceusVariables } from "./variables";

type Request = DataQueryRequest<LynceusQuery>;
interface Page<T> {
  items: T[];
  nextCursor: string | null;
}

/** Tables that follow the feed are asked again at most so often. */
const tableEveryMs = 10_000;
/** A panel follows the feed while its span ends within so much of now. */
const nowMs = 2 * 60_000;
const pageSize = 500;

/** A data source of Grafana: its questions go to the collector's read API, its answers become frames. */
export class LynceusDataSource extends DataSourceApi<LynceusQuery, LynceusOptions> {
  readonly api: Api;
  private readonly feed: LiveFeed;
  private readonly options: LynceusOptions;
  private readonly about: Observable<About>;

  constructor(settings: DataSourceInstanceSettings<LynceusOptions>) {
    super(settings);
    const url = settings.url ?? "";
    this.options = settings.jsonData ?? {};
    this.api = new Api(url);
    this.feed = new LiveFeed(() => socketUrl(`${this.api.base}/live`));
    this.about = this.api.get<About>("/about").pipe(shareReplay({ bufferSize: 1, refCount: false }));
    this.annotations = annotationSupport;
    this.variables = new LynceusVariables(this);
  }

  override getDefaultQuery(_app: CoreApp): Partial<LynceusQuery> {
    return complete({ refId: "A" });
  }

  override getQueryDisplayText(query: LynceusQuery): string {
    return textOf(complete(query));
  }

  override filterQuery(query: LynceusQuery): boolean {
    return query.hide !== true;
  }

  applyTemplateVariables(query: LynceusQuery, scopedVars: ScopedVars): LynceusQuery {
    return interpolate(
      complete(query),
      (text, vars, format) => getTemplateSrv().replace(text, vars, format),
      scopedVars,
    );
  }

  override interpolateVariablesInQueries(queries: LynceusQuery[], scopedVars: ScopedVars): LynceusQuery[] {
    return queries.map((query) => this.applyTemplateVariables(query, scopedVars));
  }

  /** Where links lead: as it was set, or as the collector says. */
  dashboardUrl(): Observable<string | null> {
    const set = safeBase(this.options.dashboardUrl);
    if (set !== null) return of(set);
    return this.about.pipe(
      map(({ dashboardUrl }) => safeBase(dashboardUrl)),
      catchError(() => of(null)),
    );
  }

  override query(request: Request): Observable<DataQueryResponse> {
    const queries = request.targets.filter((query) => this.filterQuery(query));
    if (queries.length === 0) return of({ data: [] });
    return merge(...queries.map((query) => this.run(this.applyTemplateVariables(query, request.scopedVars), request)));
  }

  private run(query: LynceusQuery, request: Request): Observable<DataQueryResponse> {
    const { refId } = query;
    const problem = problemOf(query);
    const answers = problem === null ? this.answers(query, request) : from([]);
    const failed = (message: string): DataQueryResponse => ({
      data: [],
      key: refId,
      state: LoadingState.Error,
      errors: [{ refId, message }],
    });
    if (problem !== null) return of(failed(problem));
    return answers.pipe(
      map(({ frame, streaming }) => ({
        data: [frame],
        key: refId,
        state: streaming ? LoadingState.Streaming : LoadingState.Done,
      })),
      catchError((error: unknown) => of(failed(error instanceof Error ? error.message : String(error)))),
    );
  }

  private answers(query: LynceusQuery, request: Request): Observable<{ frame: DataFrame; streaming: boolean }> {
    const once = (frames: Observable<DataFrame>) => frames.pipe(map((frame) => ({ frame, streaming: false })));
    switch (query.kind) {
      case "counts":
        return this.counts(query, request);
      case "targets":
        return once(this.targets(query, request));
      case "machines":
        return this.again(query, request, () => this.machines(query));
      case "values":
        return this.again(query, request, () => this.values(query));
      case "incidents":
        return this.again(query, request, () => this.incidents(query, request));
      case "causes":
        return this.again(query, request, () => this.causes(query, request));
      case "changes":
        return once(this.changes(query, request));
      case "events":
        return once(this.events(query, request));
    }
  }

  /** Whether a panel may follow the feed: it is switched on, and what it shows ends now. */
  private follows(live: boolean, { range, rangeRaw }: Request): boolean {
    if (!live || this.options.live === false) return false;
    const raw = rangeRaw?.to ?? range.raw.to;
    return raw === "now" || Math.abs(range.to.valueOf() - Date.now()) < nowMs;
  }

  /** A table, asked again when something changed. */
  private again(query: { live: boolean }, request: Request, ask: () => Observable<DataFrame>) {
    const streaming = this.follows(query.live, request);
    if (!streaming) return ask().pipe(map((frame) => ({ frame, streaming })));
    return this.feed.watchChanges().pipe(
      startWith(undefined),
      throttleTime(tableEveryMs, undefined, { leading: true, trailing: true }),
      switchMap(ask),
      map((frame) => ({ frame, streaming })),
    );
  }

  private series(path: string, parameters: Parameters, request: Request, refId: string): Observable<SeriesAnswer> {
    const { range, intervalMs } = request;
    const span = {
      since: range.from.toISOString(),
      until: range.to.toISOString(),
      step: Math.min(Math.max(60, Math.ceil(intervalMs / 1000)), 7 * 86_400),
    };
    return this.api.get<SeriesAnswer>(path, { ...parameters, ...span }, `${request.requestId}-${refId}`);
  }

  private counts(query: CountsQuery, request: Request): Observable<{ frame: DataFrame; streaming: boolean }> {
    const parameters = {
      by: query.by,
      status: restricting(query.status),
      site: restricting(query.site),
      pattern: restricting(query.pattern),
      proxy: restricting(query.proxy),
      series: query.series,
    };
    const otherwise = parameters.status.join(" + ") || (parameters.pattern.length > 0 ? "machines" : "failing");
    return forkJoin([this.series("/counts/history", parameters, request, query.refId), this.dashboardUrl()]).pipe(
      switchMap(([answer, base]) => {
        const options: SeriesFrameOptions = {
          refId: query.refId,
          otherwise,
          unit: answer.unit,
          stepSeconds: answer.stepSeconds,
          links: (labels) => seriesLinks(base, labels),
          notices: noticesOf(answer),
          dark: config.theme2.isDark,
        };
        const known: SeriesState = { times: timesOf(answer), series: answer.series };
        const frameOf = ({ times, series }: SeriesState, notices: QueryResultMetaNotice[] = []) =>
          wideFrame([...times], series, { ...options, notices: [...options.notices, ...notices] });
        const streaming = this.follows(query.live, request);
        const first = of({ frame: frameOf(known), streaming });
        if (!streaming) return first;
        const { by, series } = parameters;
        const list = (values: string[]) => (values.length > 0 ? (values as never[]) : undefined);
        const watched = this.feed.watchCounts({
          by,
          series,
          status: list(parameters.status),
          site: list(parameters.site),
          pattern: list(parameters.pattern),
          proxy: list(parameters.proxy),
        });
        const followed = watched.pipe(
          scan((state, counts) => withCounts(state, counts, answer.stepSeconds * 1000), known),
          map((state) => ({ frame: frameOf(state), streaming })),
          // What is known stays on screen, and says that it does not go on by itself.
          catchError((error: unknown) => {
            const text = `Not live: ${error instanceof Error ? error.message : String(error)}`;
            return of({ frame: frameOf(known, [{ severity: "warning", text }]), streaming: false });
          }),
        );
        return concat(first, followed);
      }),
    );
  }

  private targets(query: TargetsQuery, request: Request): Observable<DataFrame> {
    const parameters = {
      measure: query.measure,
      by: query.by,
      target: restricting(query.target),
      site: restricting(query.site),
      via: query.via,
      series: query.series,
      ...(query.measure === "latency" ? { quantile: restricting(query.quantile) } : {}),
    };
    return forkJoin([this.series("/targets/history", parameters, request, query.refId), this.dashboardUrl()]).pipe(
      map(([answer, base]) =>
        wideFrame(timesOf(answer), answer.series, {
          refId: query.refId,
          otherwise: query.measure,
          unit: answer.unit,
          stepSeconds: answer.stepSeconds,
          links: (labels) => (labels.site ? seriesLinks(base, { site: labels.site }) : []),
          notices: noticesOf(answer),
          dark: config.theme2.isDark,
        }),
      ),
    );
  }

  /** The items of as many pages as are needed. */
  private pages<T>(path: string, parameters: Parameters, limit: number): Observable<T[]> {
    const page = (cursor: string | null, left: number) =>
      this.api
        .get<Page<T>>(path, { ...parameters, limit: Math.min(left, pageSize), ...(cursor === null ? {} : { cursor }) })
        .pipe(map(({ items, nextCursor }) => ({ items, nextCursor, left: left - items.length })));
    return page(null, limit).pipe(
      expand(({ nextCursor, left }) => (nextCursor === null || left <= 0 ? EMPTY : page(nextCursor, left))),
      reduce((all, { items }) => [...all, ...items], [] as T[]),
    );
  }

  private machines({ refId, q, sort, limit }: MachinesQuery): Observable<DataFrame> {
    const rows = this.pages<MachineRow>("/machines", { q: withoutAll(q) || undefined, sort }, limit);
    return forkJoin([rows, this.dashboardUrl()]).pipe(map(([items, base]) => machinesFrame(refId, items, base)));
  }

  private values({ refId, field, q }: ValuesQuery): Observable<DataFrame> {
    const asked = this.api.get<{ items: FieldValue[] }>("/values", { field, q: withoutAll(q) || undefined });
    return forkJoin([asked, this.dashboardUrl()]).pipe(
      map(([{ items }, base]) => valuesFrame(refId, field, items, base)),
    );
  }

  private incidents({ refId, open, q, limit }: IncidentsQuery, { range }: Request): Observable<DataFrame> {
    const span = open ? { open: true } : { since: range.from.toISOString(), until: range.to.toISOString() };
    const found = this.pages<Incident>("/incidents", { ...span, q: withoutAll(q) || undefined }, limit);
    return forkJoin([found, this.dashboardUrl()]).pipe(map(([items, base]) => incidentsFrame(refId, items, base)));
  }

  private causes({ refId, open, site, limit }: CausesQuery, { range }: Request): Observable<DataFrame> {
    const span = open ? { open: true } : { since: range.from.toISOString(), until: range.to.toISOString() };
    const found = this.pages<Cause>("/causes", { ...span, site: restricting(site) }, limit);
    return forkJoin([found, this.dashboardUrl()]).pipe(map(([items, base]) => causesFrame(refId, items, base)));
  }

  private changes(
    { refId, change, minMachines, site, limit }: ChangesQuery,
    { range }: Request,
  ): Observable<DataFrame> {
    const parameters = {
      since: range.from.toISOString(),
      begunBy: range.to.toISOString(),
      minMachines,
      site: restricting(site),
    };
    const kinds = restricting(change);
    // The API takes one kind a question.
    const asked = (kinds.length === 0 ? [undefined] : kinds).map((kind) =>
      this.pages<FleetChange>("/changes", { ...parameters, kind }, limit),
    );
    return forkJoin([forkJoin(asked), this.dashboardUrl()]).pipe(
      map(([lists, base]) => {
        const newest = lists.flat().sort((a, b) => b.lastAt.localeCompare(a.lastAt));
        return changesFrame(refId, newest.slice(0, limit), base);
      }),
    );
  }

  private events({ refId, what, minMachines, site }: EventsQuery, { range }: Request): Observable<DataFrame> {
    const span = { since: range.from.toISOString(), site: restricting(site) };
    const until = range.to.toISOString();
    const limit = 100;
    const incidents = what.includes("incidents")
      ? this.pages<Incident>("/incidents", { ...span, until }, limit)
      : of([]);
    const causes = what.includes("causes") ? this.pages<Cause>("/causes", { ...span, until }, limit) : of([]);
    const changes = what.includes("changes")
      ? this.pages<FleetChange>("/changes", { ...span, begunBy: until, minMachines }, limit)
      : of([]);
    return forkJoin([incidents, causes, changes, this.dashboardUrl()]).pipe(
      map(([opened, shared, changed, base]) => {
        const page = (path: string, id: string | number) => (base === null ? null : `${base}/${path}/${id}`);
        const events: FleetEvent[] = [
          ...opened.map((incident) => ({
            id: `incident-${incident.number}`,
            from: incident.openedAt,
            to: incident.endedAt,
            title: `Incident ${incident.number}`,
            text: incident.title,
            tags: ["incident", incident.urgency, ...(incident.simulated ? ["simulated"] : [])],
            url: page("incidents", incident.number),
          })),
          ...shared.map((cause) => ({
            id: cause.id,
            from: cause.firstSeen ?? cause.since,
            to: cause.clearedAt,
            title: "Shared cause",
            text: cause.text,
            tags: ["cause", cause.confidence, ...(cause.simulated ? ["simulated"] : [])],
            url: page("causes", cause.id),
          })),
          ...changed.map((change) => ({
            id: change.id,
            from: change.firstAt,
            to: change.lastAt,
            title: `${change.machines} machines`,
            text: change.text,
            tags: ["change", change.kind, ...(change.simulated ? ["simulated"] : [])],
            url: page("changes", change.id),
          })),
        ];
        return eventsFrame(refId, events, range.to.valueOf());
      }),
    );
  }

  /** Values of a field, for variables and for what a person types. */
  fieldValues(field: string, q: string, contains = ""): Promise<FieldValue[]> {
    return firstValueFrom(
      this.api
        .get<{ items: FieldValue[] }>("/values", {
          field,
          q: withoutAll(q) || undefined,
          contains: contains || undefined,
        })
        .pipe(map(({ items }) => items)),
    );
  }

  targetRefs(): Promise<TargetRef[]> {
    return firstValueFrom(this.api.get<{ items: TargetRef[] }>("/targets").pipe(map(({ items }) => items)));
  }

  override async testDatasource(): Promise<Health> {
    try {
      return healthOf(await firstValueFrom(this.api.get<unknown>("/about")), Date.now());
    } catch (error) {
      return healthOfFailure(error);
    }
  }
}
