import { type NewCanary, newCanarySchema } from "@lynceus/protocol/read-api-tools";
import type { CanaryErrors, CanaryValues } from "./canary-values.ts";

export function readCanaryForm(form: FormData): CanaryValues {
  const text = (name: keyof CanaryValues, most = 4_096) => {
    const value = form.get(name);
    return typeof value === "string" ? value.slice(0, most) : "";
  };
  return {
    title: text("title").trim(),
    autoDetect: form.get("autoDetect") !== null,
    // One more than fits, so that what is too long is said and not cut.
    script: text("script", 256 * 1024 + 1),
    scriptUrl: text("scriptUrl").trim(),
    server: text("server").trim(),
    bypass: text("bypass").trim(),
    q: text("q").trim(),
    site: text("site").trim(),
    probe: text("probe").trim(),
  };
}

/** The form as a proposal; null with the errors of each field when something is refused. What holds a secret is refused. */
export function readCanary(values: CanaryValues): { canary: NewCanary | null; errors: CanaryErrors } {
  const errors: CanaryErrors = {};
  if (values.title === "") errors.title = "A title is missing; use e.g. px2 for Singapore.";
  if (values.script.trim() !== "" && values.scriptUrl !== "")
    errors.scriptUrl = "Both a text and an address of a script are given; only one can be in force.";
  if (values.scriptUrl !== "") {
    const url = URL.canParse(values.scriptUrl) ? new URL(values.scriptUrl) : null;
    if (url === null || !/^https?:$/.test(url.protocol))
      errors.scriptUrl = `"${values.scriptUrl.slice(0, 80)}" is no web address; use e.g. http://pac.example.org/new.pac`;
    else if (url.username !== "" || url.password !== "")
      errors.scriptUrl = "The address holds a name or password, which would be stored; use one without.";
  }
  if (values.server.includes("@"))
    errors.server = "The setting holds a name or password, which would be stored; use e.g. px2.example.org:8080.";
  if (values.bypass !== "" && values.server === "")
    errors.bypass = "A bypass list is in force beside a proxy server alone; give one, or leave this empty.";
  if (Object.keys(errors).length > 0) return { canary: null, errors };
  const parsed = newCanarySchema.safeParse({
    title: values.title,
    proposal: {
      autoDetect: values.autoDetect,
      pac:
        values.scriptUrl !== ""
          ? { from: "url", url: values.scriptUrl }
          : values.script.trim() !== ""
            ? { from: "text", text: values.script }
            : null,
      server: values.server === "" ? null : values.server,
      bypass: values.bypass,
    },
    q: values.q,
    site: values.site === "" ? null : values.site,
    probe: values.probe.split(",").filter((id) => id !== ""),
  });
  if (parsed.success) return { canary: parsed.data, errors };
  for (const issue of parsed.error.issues) {
    const [first, second, third] = issue.path;
    const field =
      first !== "proposal"
        ? (first as keyof CanaryValues)
        : second === "pac"
          ? third === "url"
            ? "scriptUrl"
            : "script"
          : (second as keyof CanaryValues);
    errors[field] ??= issue.message;
  }
  return { canary: null, errors };
}
