import { type FilterTerm, formatFilter } from "@lynceus/protocol/filter";
import type { Counts } from "@lynceus/protocol/read-api";
import { atRisk, term } from "./links.ts";

export interface View {
  title: string;
  query: string;
  machines: number;
}

/** The views that everybody has. Each count is that of the view's own query. */
export function views(all: Counts): View[] {
  const reporting = all.healthy + all.failing + all.stale + all.cannotTell;
  return [
    { title: "All", query: "", machines: reporting + all.signedOff },
    {
      title: "Not working now",
      query: term("status", "failing", "cannot-tell"),
      machines: all.failing + all.cannotTell,
    },
    { title: "At risk", query: atRisk, machines: all.atRisk },
    { title: "Not seen", query: term("status", "stale"), machines: all.stale },
    { title: "Signed off", query: term("status", "signed-off"), machines: all.signedOff },
  ];
}

/** The query of the view that these terms are, in its canonical text. */
export function currentView(terms: readonly FilterTerm[]): string {
  return formatFilter(terms);
}
