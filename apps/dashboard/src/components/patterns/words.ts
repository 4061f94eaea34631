import type { Severity } from "@lynceus/protocol/names";

export const severityWords: Record<Severity, string> = {
  prompting: "prompts expected",
  "will-prompt": "prompts expected at the next sign-in",
  "at-risk": "works, at risk",
};
