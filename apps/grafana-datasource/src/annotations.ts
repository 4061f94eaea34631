import type { AnnotationQuery, AnnotationSupport } from "@grafana/data";
import { AnnotationQueryEditor } from "./components/AnnotationQueryEditor";
import { complete } from "./query";
import type { EventsQuery, LynceusQuery } from "./types";

type Saved = AnnotationQuery<LynceusQuery>;

/** The question behind an annotation: whatever was saved, one for events. */
export const eventsOf = ({ target }: Pick<Saved, "target">): EventsQuery =>
  complete({ ...target, refId: target?.refId ?? "Anno", kind: "events" }) as EventsQuery;

/** Annotations are a query like any other; Grafana reads them from the frame's field names. */
export const annotationSupport: AnnotationSupport<LynceusQuery, Saved> = {
  getDefaultQuery: () => eventsOf({ target: undefined }),
  prepareAnnotation: (saved: Saved) => ({ ...saved, target: eventsOf(saved) }),
  prepareQuery: eventsOf,
  QueryEditor: AnnotationQueryEditor,
};
