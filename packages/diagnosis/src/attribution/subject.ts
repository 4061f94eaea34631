import type { Policy } from "@lynceus/protocol/policy";
import type { MachineState } from "@lynceus/protocol/state";
import { backEndName, dnsAnswerOf, exchangeAddress } from "../back-end.ts";
import { columnView } from "../columns.ts";
import { issuerName } from "../interception.ts";
import { networkOf } from "../network.ts";
import { currentLocation, routeName, type View } from "../view.ts";
import { none, type Subject, type SubjectValues } from "./types.ts";

/** What the collector knows of a machine beside its facts. */
export interface SubjectContext {
  readonly id: string;
  /** By the admin's map; null: at no site of it. */
  readonly site: string | null;
  readonly policyVersion: number | null;
  /** The wave that it belongs to (`settingsWaves`): its id, `none` when waves were looked for and it is in none. */
  readonly wave: string | null;
}

/** Values of the present facts, and what the columns of a fleet group need (`FleetGroup`). */
export interface SharedValues {
  readonly values: SubjectValues;
  /** Addresses of EWS's name on a direct route. */
  readonly dnsAnswer: string | null;
  /** Id of the configuration in force. */
  readonly configuration: string | null;
}

const present = (text: string | null | undefined): string | null => (text ? text : null);

/**
 * What a machine shares with others, by the configuration that stands for it.
 * @param view `columnView` of the state.
 */
export function sharedValues({ facts }: Pick<MachineState, "facts">, view: View | null): SharedValues {
  const slot = view?.ews?.configured ?? null;
  const route = slot ? routeName(slot.facts.route) : null;
  const system = facts.system?.facts ?? null;
  const address = system?.privateAddresses[0];
  const settings = view?.settings ?? null;
  // Automatic configuration may give a script as well; without either there is none.
  const noScript = settings !== null && settings.pacUrl === null && !settings.autoDetect;
  return {
    values: {
      "pac-hash": noScript ? none : (view?.pac?.sha256 ?? null),
      "pac-url": noScript ? none : present(settings?.pacUrl ?? view?.pac?.url),
      proxy: route === "direct" ? none : route,
      "back-end": slot ? backEndName(slot) : null,
      address: slot ? exchangeAddress(slot) : null,
      "tls-spki": slot?.facts.tls?.spkiSha256 ?? null,
      "tls-issuer": slot ? issuerName(slot.facts) : null,
      resolver: present(system?.resolvers[0]),
      subnet: address === undefined ? null : networkOf(address),
      "agent-version": present(system?.agentVersion),
      "os-build": system ? `${system.os} ${system.osVersion}`.trim() : null,
      "route-kind": route === null ? null : route === "direct" ? "direct" : "proxy",
    },
    dnsAnswer: dnsAnswerOf(view?.ews?.direct ?? null),
    configuration: view?.configuration ?? null,
  };
}

/**
 * A machine for the index. Leave out those that take no part in fleet findings: unapproved, cloned, revoked (rule 17).
 * Who is stale, signed off or cannot be judged, as behind a proxy that asks for a login (rule 1), counts on no side.
 */
export function subjectOf(
  state: Pick<MachineState, "facts" | "diagnosis">,
  policy: Policy,
  { id, site, policyVersion, wave }: SubjectContext,
  view: View | null = columnView(state, policy),
): Subject {
  const { status } = state.diagnosis;
  const failing = status === "failing" ? true : status === "healthy" ? false : null;
  const ews = view?.ews ?? null;
  return {
    id,
    location: currentLocation(state.facts, policy),
    failing,
    failingSince: failing && ews?.state === "bad" ? (ews.configured?.verdictSince ?? null) : null,
    values: {
      ...sharedValues(state, view).values,
      site,
      "policy-version": policyVersion === null ? null : String(policyVersion),
      "settings-wave": wave,
    },
  };
}
