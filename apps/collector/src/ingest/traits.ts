import { createHash } from "node:crypto";
import type { MachineColumns, TraitColumns } from "@lynceus/db/ingest";
import { sharedValues } from "@lynceus/diagnosis/attribution/subject";
import { listedTraits } from "@lynceus/diagnosis/columns";
import type { View } from "@lynceus/diagnosis/view";
import type { MachineFacts, MachineState } from "@lynceus/protocol/state";

/** When the machine changed to the configuration in force; null where it was not seen to. */
function changedTo(facts: MachineFacts, configuration: string | null): number | null {
  const before = facts.previousSettings;
  if (configuration === null || before?.replacedAt === undefined) return null;
  return before.facts.configurations.some(({ id }) => id === configuration) ? null : before.replacedAt;
}

/** Sum of the counters in the users' settings blobs, which each change makes greater; null where none was read. */
function counterOf(facts: MachineFacts): number | null {
  const counters = facts.settings?.facts.users.flatMap(({ blob }) => (blob?.ok ? [blob.counter] : [])) ?? [];
  return counters.length === 0 ? null : counters.reduce((sum, counter) => sum + counter, 0);
}

/**
 * What the machine may share with others, as the facts show it, with a digest of all that attribution compares and of what
 * incidents are made of.
 * @param view `columnView` of the state.
 */
export function traitsOf(
  state: MachineState,
  view: View | null,
  columns: MachineColumns,
  site: string | null,
): TraitColumns {
  const { facts } = state;
  const { values, dnsAnswer, configuration } = sharedValues(state, view);
  const slot = view?.ews?.configured ?? null;
  const { configuration: own, target, via } = slot?.facts ?? {};
  const certificate = slot ? facts.lastSeen?.[`${own}:${target}:${via}@${slot.location}`]?.certificate : undefined;
  const traits = {
    pacUrl: values["pac-url"] ?? null,
    resolver: values.resolver ?? null,
    subnet: values.subnet ?? null,
    backEnd: values["back-end"] ?? null,
    address: values.address ?? null,
    routeKind: values["route-kind"] ?? null,
    configuration,
    settingsChangedAt: changedTo(facts, configuration),
    settingsCounter: counterOf(facts),
    tlsSpkiBefore: certificate?.before ?? null,
    tlsChangedAt: certificate?.before ? (certificate.at ?? null) : null,
    dnsAnswer,
    ...listedTraits(state, view),
    simulated: facts.system?.facts.simulated ?? false,
  };
  const { route, pacHash, tlsIssuer, tlsSpki, location } = columns;
  const compared = [
    traits,
    route,
    pacHash,
    tlsIssuer,
    tlsSpki,
    location,
    site,
    values["agent-version"],
    values["os-build"],
    columns.primaryPattern,
    columns.primarySeverity,
    columns.primaryConfidence,
    columns.primaryCause,
    columns.patterns,
    columns.verdictConfigured,
  ];
  const digest = createHash("sha1").update(JSON.stringify(compared)).digest("base64url").slice(0, 16);
  return { digest, ...traits };
}
