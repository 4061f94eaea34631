import { type Retention, retentionSchema } from "@lynceus/protocol/retention";

export interface RetentionValues {
  observationDays: string;
  historyDays: string;
}
export type RetentionErrors = Partial<Record<keyof RetentionValues, string>>;

const rules: Record<keyof RetentionValues, string> = {
  observationDays: "use a whole number of days from 1 to 3,650, e.g. 30.",
  historyDays: "use a whole number of days from 36 to 3,650, e.g. 396.",
};

/** What a form says, or per field why it cannot be. */
export function readRetentionForm(values: RetentionValues): { retention: Retention | null; errors: RetentionErrors } {
  const number = (text: string) => (/^\d{1,9}$/.test(text.trim()) ? Number(text) : Number.NaN);
  const parsed = retentionSchema.safeParse({
    observationDays: number(values.observationDays),
    historyDays: number(values.historyDays),
  });
  if (parsed.success) return { retention: parsed.data, errors: {} };
  const errors: RetentionErrors = {};
  for (const { path } of parsed.error.issues) {
    const field = path[0] as keyof RetentionValues;
    errors[field] = `"${values[field].slice(0, 20)}" is no such time; ${rules[field]}`;
  }
  return { retention: null, errors };
}
