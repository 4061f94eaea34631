import { useEffect, useRef } from "react";

export interface TableKeys {
  move: (by: number) => void;
  toggle: (range: boolean) => void;
  open: () => void;
  clear: () => void;
  filter: () => void;
  probe: () => void;
  density: () => void;
}

/** Keys of the machines table: `/`, `j k`, `x` and `Shift x`, `Enter`, `Esc`, `p`, `d`. Off while typing. */
export function useTableKeys(keys: TableKeys): void {
  const latest = useRef(keys);
  latest.current = keys;
  useEffect(() => {
    const pressed = (event: KeyboardEvent) => {
      if (event.defaultPrevented || event.ctrlKey || event.metaKey || event.altKey) return;
      const target = event.target instanceof HTMLElement ? event.target : null;
      if (target?.isContentEditable || target?.closest("input:not([type=checkbox]), textarea, select, [role=dialog]")) {
        return;
      }
      const now = latest.current;
      if (event.key === "j") now.move(1);
      else if (event.key === "k") now.move(-1);
      else if (event.key === "x" || event.key === "X") now.toggle(event.shiftKey);
      else if (event.key === "Enter" && !target?.closest("a, button, input")) now.open();
      else if (event.key === "Escape") now.clear();
      else if (event.key === "/") now.filter();
      else if (event.key === "p") now.probe();
      else if (event.key === "d") now.density();
      else return;
      event.preventDefault();
    };
    window.addEventListener("keydown", pressed);
    return () => window.removeEventListener("keydown", pressed);
  }, []);
}
