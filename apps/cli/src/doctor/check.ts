/** One thing that was looked at. `skipped`: it could not be, and the text says why. */
export interface Check {
  readonly name: string;
  readonly state: "ok" | "warning" | "bad" | "skipped";
  readonly text: string;
  /** What to do, where something is to be done. */
  readonly todo?: string;
}

export const ok = (name: string, text: string): Check => ({ name, state: "ok", text });
export const warning = (name: string, text: string, todo: string): Check => ({ name, state: "warning", text, todo });
export const bad = (name: string, text: string, todo: string): Check => ({ name, state: "bad", text, todo });
export const skipped = (name: string, text: string): Check => ({ name, state: "skipped", text });
