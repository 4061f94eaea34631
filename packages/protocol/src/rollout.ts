import * as z from "zod";

/** Machines that are chosen by hand: a trial, no roll-out. */
export const maxTrialMachines = 20;

/**
 * Which machines get a version of the policy before the whole fleet does. A machine takes part when any of it holds. The
 * percentage is a share by machine id that only grows when the number does, and is another share for each version.
 */
export const rolloutSchema = z.object({
  percent: z.number().int().min(0).max(100),
  sites: z.array(z.string().min(1).max(200)).max(200),
  tags: z.array(z.string().min(1).max(100)).max(200),
  /** Ids: a version is tried on them. */
  machines: z.array(z.uuid()).max(maxTrialMachines),
});
export type Rollout = z.infer<typeof rolloutSchema>;

/** Whether nobody takes part. */
export const isNobody = ({ percent, sites, tags, machines }: Rollout): boolean =>
  percent === 0 && sites.length + tags.length + machines.length === 0;

const counted = (count: number, one: string, many: string) => `${count} ${count === 1 ? one : many}`;

/** "10 % of the fleet, 2 sites, 1 machine" */
export function rolloutText({ percent, sites, tags, machines }: Rollout): string {
  const parts = [
    ...(percent > 0 ? [`${percent} % of the fleet`] : []),
    ...(sites.length > 0
      ? [sites.length <= 3 ? `at ${sites.join(", ")}` : counted(sites.length, "site", "sites")]
      : []),
    ...(tags.length > 0 ? [tags.length <= 3 ? `tagged ${tags.join(", ")}` : counted(tags.length, "tag", "tags")] : []),
    ...(machines.length > 0 ? [counted(machines.length, "chosen machine", "chosen machines")] : []),
  ];
  return parts.join(", ") || "nobody";
}
