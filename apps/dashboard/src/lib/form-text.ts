/** A text field of a form, bounded; empty when it is not there or is a file. */
export function formText(form: FormData, name: string, most = 1024): string {
  const value = form.get(name);
  return typeof value === "string" ? value.slice(0, most) : "";
}

/** All values of a field that may be there several times, such as chosen sites. */
export function formTexts(form: FormData, name: string, most = 200): string[] {
  return form
    .getAll(name)
    .flatMap((value) => (typeof value === "string" && value !== "" ? [value.slice(0, 200)] : []))
    .slice(0, most);
}
