import * as z from "zod";
import {
  attributionKeys,
  confidences,
  locations,
  machineStatuses,
  patternIds,
  services,
  severities,
  verdicts,
} from "./name-lists.ts";

export { attributionKeys, confidences, locations, machineStatuses, patternIds, services, severities, verdicts };

export const verdictSchema = z.enum(verdicts);
export type Verdict = z.infer<typeof verdictSchema>;

export const patternIdSchema = z.enum(patternIds);
export type PatternId = z.infer<typeof patternIdSchema>;

export const severitySchema = z.enum(severities);
/** How near the prompt is (domain 5, "Severity"), worst first. */
export type Severity = z.infer<typeof severitySchema>;

export const confidenceSchema = z.enum(confidences);
/** How sure the evidence implies the pattern, never that a window is open. */
export type Confidence = z.infer<typeof confidenceSchema>;

export const machineStatusSchema = z.enum(machineStatuses);
/** design.md "Words". The first four add up to the reporting machines; signed-off stands beside them. */
export type MachineStatus = z.infer<typeof machineStatusSchema>;

export const locationSchema = z.enum(locations);
/** Where the machine was when it observed (domain 5.0 rule 3). */
export type Location = z.infer<typeof locationSchema>;

export const serviceSchema = z.enum(services);
/** What a target is, which decides what a good answer looks like (domain 2.5, 3.1). */
export type Service = z.infer<typeof serviceSchema>;

export const attributionKeySchema = z.enum(attributionKeys);
export type AttributionKey = (typeof attributionKeys)[number];
