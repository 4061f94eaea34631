import * as z from "zod";

/** How long things are kept, in whole days (domain 6.4). Today is beside them. */
export const retentionSchema = z.object({
  /** Observations: each fact that changed, as the machine sent it. They are most of what is stored. */
  observationDays: z.number().int().min(1).max(3650),
  /**
   * Timelines, cleared findings and causes, changes, quarantine, finished commands, hours of the trends, reports, canaries,
   * verifications, incidents that are over, notices and silences. A trend by the hour follows one by the minute of 35 days.
   */
  historyDays: z.number().int().min(36).max(3650),
});
export type Retention = z.infer<typeof retentionSchema>;

/** Thirteen months, so that a month can be held beside the one of the year before. */
export const usualHistoryDays = 396;
