import type { SeededDashboard } from "./seeded.ts";

/** Addresses of pages with parts of their own, on the seeded fleet. A page that is not here has none, or fails the tests that walk. */
export function valuesOf({ fleet }: SeededDashboard, route: string): string {
  const machine = [...fleet.ids.values()][0] ?? "";
  const known: Record<string, string> = {
    "/alerting/[kind]/[id]": "/alerting/routes/on-call",
    "/alerting/new/[kind]": "/alerting/new/receivers",
    "/causes/[id]": `/causes/${fleet.causeId}`,
    "/machines/[id]": `/machines/${machine}`,
    "/machines/[id]/probes/[seq]": `/machines/${machine}/probes/1`,
    "/targets/[version]": "/targets/1",
    "/patterns/[id]": "/patterns/proxy-auth-required",
  };
  return known[route] ?? route.replace(/\[[^\]]+\]/g, "00000000-0000-4000-8000-000000000000");
}
