import { parseAsArrayOf, parseAsString, parseAsStringLiteral, useQueryStates } from "nuqs";
import { useMemo } from "react";
import { columnIds } from "./column-info.ts";
import type { Defaults } from "./query.ts";

/**
 * What the address says of the list: filter, order, groups, columns, density. What is as `defaults` is not in it. Filter,
 * order and groups are asked of the server; columns and density are the page's own.
 */
export function useListState(defaults: Defaults) {
  const parsers = useMemo(() => {
    const asked = { shallow: false, history: "push" as const, clearOnDefault: true };
    return {
      q: parseAsString.withDefault(defaults.q).withOptions(asked),
      sort: parseAsString.withDefault(defaults.sort).withOptions(asked),
      // "none" stands for no groups where a view has some.
      group: parseAsString.withDefault(defaults.group ?? "none").withOptions(asked),
      cols: parseAsArrayOf(parseAsStringLiteral(columnIds)).withDefault(defaults.cols),
      density: parseAsStringLiteral(["compact", "relaxed"] as const).withDefault(defaults.density),
    };
  }, [defaults]);
  const [state, setState] = useQueryStates(parsers);
  return {
    ...state,
    setQuery: (q: string) => void setState({ q }),
    setSort: (sort: string) => void setState({ sort }),
    setGroup: (group: string | null) => void setState({ group: group ?? "none" }),
    setCols: (cols: (typeof state)["cols"]) => {
      remember("columns", cols.join(","));
      void setState({ cols });
    },
    setDensity: (density: (typeof state)["density"]) => {
      remember("density", density);
      void setState({ density });
    },
  };
}

/** Kept in a cookie, so that the server draws the list at once as this person likes it. */
function remember(name: string, value: string) {
  // biome-ignore lint/suspicious/noDocumentCookie: the Cookie Store API is not everywhere yet.
  document.cookie = `${name}=${encodeURIComponent(value)}; path=/machines; max-age=31536000; samesite=lax`;
}
