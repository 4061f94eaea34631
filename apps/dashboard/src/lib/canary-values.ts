/** What the form of a canary holds, as text. */
export interface CanaryValues {
  title: string;
  autoDetect: boolean;
  script: string;
  scriptUrl: string;
  server: string;
  bypass: string;
  q: string;
  site: string;
  /** Machine ids, separated by commas. */
  probe: string;
}

export type CanaryErrors = Partial<Record<keyof CanaryValues, string>>;

export function emptyCanary(): CanaryValues {
  return {
    title: "",
    autoDetect: false,
    script: "",
    scriptUrl: "",
    server: "",
    bypass: "",
    q: "",
    site: "",
    probe: "",
  };
}
