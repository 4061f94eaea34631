import { type DataFrame, FieldType } from "@grafana/data";
import { safeText } from "@lynceus/protocol/present";
import { timeOf } from "./fields";

/** What an annotation says. `to` null: it goes on; equal to `from`: a moment. */
export interface FleetEvent {
  readonly id: string;
  readonly from: string;
  readonly to: string | null;
  readonly title: string;
  readonly text: string;
  readonly tags: readonly string[];
  /** Its page; null where the dashboard's address is not known. */
  readonly url: string | null;
}

const escapes: Readonly<Record<string, string>> = {
  "&": "&amp;",
  "<": "&lt;",
  ">": "&gt;",
  '"': "&quot;",
  "'": "&#39;",
};

/** Grafana shows an annotation's text as HTML: whatever a machine sent stays text in it. */
export const escapeHtml = (text: string): string =>
  safeText(text).replace(/[&<>"']/g, (character) => escapes[character] ?? "");

/** Events in the fields that Grafana reads annotations from; what goes on ends with the span that is shown. */
export function eventsFrame(refId: string, events: readonly FleetEvent[], until: number): DataFrame {
  const field = (name: string, type: FieldType, values: unknown[]) => ({ name, type, config: {}, values });
  const end = ({ from, to }: FleetEvent) => (to === null ? until : Math.max(timeOf(to) ?? 0, timeOf(from) ?? 0));
  const link = ({ url }: FleetEvent) =>
    url === null ? "" : `<br><a href="${escapeHtml(url)}" target="_blank" rel="noreferrer">Open in Lynceus</a>`;
  return {
    refId,
    length: events.length,
    fields: [
      field(
        "time",
        FieldType.time,
        events.map((event) => timeOf(event.from)),
      ),
      field("timeEnd", FieldType.time, events.map(end)),
      field(
        "title",
        FieldType.string,
        events.map((event) => escapeHtml(event.title)),
      ),
      field(
        "text",
        FieldType.string,
        events.map((event) => `${escapeHtml(event.text)}${link(event)}`),
      ),
      field(
        "tags",
        FieldType.other,
        events.map((event) => [...event.tags]),
      ),
      field(
        "id",
        FieldType.string,
        events.map((event) => event.id),
      ),
    ],
  };
}
