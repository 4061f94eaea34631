import { type AgentWorld, runCommand } from "../../agent.ts";
import type { Command } from "../../cli.ts";
import type { GoodbyeReason } from "../../link/link.ts";
import type { Koffi } from "../koffi.ts";
import { eventLog } from "./event-log.ts";
import { runService, type ServiceHandlers } from "./service.ts";
import { emptyVariables, settleService } from "./service-settings.ts";
import { forgetToken, readSetup } from "./setup-values.ts";

/** Node has read these before any line of ours ran, and a service cannot start itself again without them. */
const steering = ["NODE_OPTIONS", "NODE_EXTRA_CA_CERTS", "NODE_TLS_REJECT_UNAUTHORIZED"];

export interface ServiceSetup {
  readonly environment: Readonly<Record<string, string | undefined>>;
  readonly onSessionChange: () => void;
  /** The command line `run` with these variables. @throws UsageError. */
  readonly parse: (environment: Readonly<Record<string, string | undefined>>) => Command;
}

/** `lynceus-agent service`: the agent under Windows' service manager, with what its installer was told. */
export function runWindowsService(koffi: Koffi, world: AgentWorld, setup: ServiceSetup): Promise<number> {
  const report = eventLog(koffi);
  const { environment } = setup;
  return runService(koffi, async (connect) => {
    try {
      const found = steering.filter((name) => environment[name]);
      if (found.length > 0) {
        emptyVariables(koffi, steering);
        throw new Error(
          `the environment of this machine sets ${found.join(", ")}, which would steer this service; it starts again without`,
        );
      }
      const refused = settleService(koffi);
      if (refused.length > 0) report("failed", `Windows refused to set of this service: ${refused.join(", ")}`);
      const command = setup.parse({ ProgramData: environment.ProgramData, ...readSetup(koffi) });
      if (command.name !== "run") throw new Error("the installer's values make no command");
      let stop: (reason: GoodbyeReason) => void = () => {};
      let handlers: Pick<ServiceHandlers, "onSuspend" | "onResume"> | null = null;
      return await runCommand(command.options, false, {
        ...world,
        installStopHandler(onStop) {
          stop = onStop;
          connect({
            onStop: (reason) => stop(reason),
            onSuspend: () => handlers?.onSuspend(),
            onResume: () => handlers?.onResume(),
            onSessionChange: setup.onSessionChange,
          });
        },
        installPowerHandler(power) {
          handlers = power;
          // It gets here enrolled: the token has done its work, also one that a later installation repeated.
          forgetToken(koffi);
        },
        report,
      });
    } catch (error) {
      report("failed", (error as Error).message);
      return 1;
    }
  });
}
