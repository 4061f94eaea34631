import type { SystemFacts } from "@lynceus/protocol/facts";
import type { Registry } from "./registry.ts";

/** This Windows machine as the readers need it; made of the system's own calls, or of a test's. */
export interface WindowsMachine {
  readonly registry: Registry;
  /** `all`: every loaded hive, for the service. `self`: the user who runs us, for a console. */
  readonly scope: "all" | "self";
  /** Names of VPN and dial-up connections that are up, best first, and how that was learnt (domain 4.2). */
  connectionsUp(): { readonly names: readonly string[]; readonly outcome: string };
  /** Whose policies count first: the installed client's. Null: none is installed. */
  officeVersion(): "15.0" | "16.0" | null;
  /** What of the system's facts Node does not give, or gives wrongly. */
  systemFacts(): Partial<SystemFacts>;
}
