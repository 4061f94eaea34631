import { randomBytes } from "node:crypto";
import { diagnose } from "@lynceus/diagnosis/diagnose";
import { emptyFleet } from "@lynceus/diagnosis/fleet";
import { applyObservation, emptyState } from "@lynceus/diagnosis/state";
import type { Observation } from "@lynceus/protocol/facts";
import type { MachineState } from "@lynceus/protocol/state";
import { type DiagnoseOptions, diagnoseUsage, parseDiagnose } from "./diagnose-options.ts";
import { jsonReport, textReport } from "./diagnose-report.ts";
import { factsDigest } from "./digest.ts";
import { type ObserveContext, observeCycle } from "./observe.ts";
import { runCommand } from "./platform/run-command.ts";
import { thisWindows } from "./platform/this-windows.ts";
import { windowsCertificates } from "./platform/windows/certificates.ts";
import { type Clock, defaultTimeouts, type Timeouts, userAgentOf } from "./probes/context.ts";
import { readTrustStore } from "./probes/trust-store.ts";
import { readSettings } from "./proxy/settings.ts";

/** The outside of the one-shot; `main.ts` gives the real one. */
export interface DiagnoseIo {
  readonly stdout: (text: string) => void;
  readonly stderr: (text: string) => void;
  readonly environment: Readonly<Record<string, string | undefined>>;
  readonly version: string;
  readonly platform: NodeJS.Platform;
  readonly uid: number | null;
  readonly clock: Clock;
  readonly signal: AbortSignal;
  /** Only in tests: other DNS servers, shorter patience. */
  readonly dnsServers?: readonly string[];
  readonly timeouts?: Partial<Timeouts>;
}

/** `0` healthy, `1` findings or cannot tell, `2` could not run. */
export type ExitCode = 0 | 1 | 2;

function contextOf(options: DiagnoseOptions, io: DiagnoseIo): ObserveContext {
  return {
    probes: {
      clock: io.clock,
      fence: options.fence,
      signal: io.signal,
      trust: readTrustStore(io.environment, io.platform === "win32" ? windowsCertificates : null),
      resolver: { servers: io.dnsServers ?? null },
      timeouts: { ...defaultTimeouts, ...io.timeouts },
      userAgent: userAgentOf(io.version),
    },
    settings: {
      platform: io.platform,
      environment: io.environment,
      settingsFile: options.settingsFile,
      run: runCommand,
      uid: io.uid,
      // What the user at the console has, whoever else is signed in.
      windows: thisWindows("self"),
      // Nothing is kept, so users need only be told apart within this run.
      salt: randomBytes(16).toString("hex"),
    },
    agentVersion: io.version,
    simulated: false,
  };
}

interface Run {
  readonly state: MachineState;
  readonly observations: readonly Observation[];
}

/** Looks `cycles` times and folds what is seen as a collector would; persistence is waived. */
async function observeAndJudge(options: DiagnoseOptions, ctx: ObserveContext): Promise<Run> {
  const { policy } = options;
  const { clock } = ctx.probes;
  const observations: Observation[] = [];
  let state = emptyState();
  for (let cycle = 0; cycle < options.cycles; cycle++) {
    for await (const draft of observeCycle({ policy, ctx: { ...ctx, turn: cycle } })) {
      const at = Math.round(clock.now());
      const digest = factsDigest(draft.kind, draft.facts);
      const observation: Observation = { ...draft, seq: observations.length + 1, at, ageMs: 0, digest };
      observations.push(observation);
      state = applyObservation(state, observation, { at, replayed: false }, policy).state;
    }
    const { diagnosis, persistence } = diagnose({
      facts: state.facts,
      persistence: state.persistence,
      policy,
      fleet: emptyFleet,
      now: Math.round(clock.now()),
      newCycle: true,
      waivePersistence: true,
    });
    state = { ...state, diagnosis, persistence };
  }
  return { state, observations };
}

/**
 * The helpdesk's one-shot: probes now, prints what it saw and what it means.
 * Exit code 0 when healthy without findings; 1 with findings, or when it cannot be told (no findings then, and
 * `status` says so); 2 when it could not run.
 * @param argv what follows `diagnose` on the command line.
 */
export async function runDiagnose(argv: readonly string[], io: DiagnoseIo): Promise<ExitCode> {
  const parsed = parseDiagnose(argv);
  if (parsed.ok === "help") {
    io.stdout(diagnoseUsage);
    return 0;
  }
  if (!parsed.ok) {
    io.stderr(`lynceus-agent diagnose: ${parsed.message}\n`);
    return 2;
  }
  const { options } = parsed;
  const ctx = contextOf(options, io);
  try {
    const { fileError } = await readSettings(ctx.settings);
    if (fileError !== null) {
      io.stderr(`lynceus-agent diagnose: --proxy-settings "${options.settingsFile}": ${fileError}\n`);
      return 2;
    }
    const { state, observations } = await observeAndJudge(options, ctx);
    const report = options.json ? jsonReport : textReport;
    io.stdout(report(state, observations, options.policy, ctx.probes.trust.source));
    const { status, findings } = state.diagnosis;
    return status === "healthy" && findings.length === 0 ? 0 : 1;
  } catch (error) {
    io.stderr(`lynceus-agent diagnose: ${error instanceof Error ? error.message : String(error)}\n`);
    return 2;
  }
}
