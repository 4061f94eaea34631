/** A machine's settings changed: what it had, and what it has. */
export interface SettingsChange {
  readonly machine: string;
  readonly at: number;
  /** Id of the effective configuration after the change (domain 5.0 rule 5). */
  readonly to: string;
}

/** Many machines changed to the same settings within half an hour. */
export interface SettingsWave {
  /** Name of the wave: value of the key `settings-wave`. */
  readonly id: string;
  readonly to: string;
  /** First and last of its changes. */
  readonly from: number;
  readonly until: number;
  readonly machines: readonly string[];
}

/** Domain 5.5 `fleet-config-wave`. */
export const waveWindowMs = 30 * 60_000;
const minimumMachines = 5;

/** Whether so many of a fleet, changed to the same settings within half an hour, are a wave. */
export const isWave = (changed: number, fleet: number): boolean => changed >= minimumMachines && 10 * changed >= fleet;

/**
 * Changes of settings that roll through the fleet: at least five machines and a tenth of the fleet within some half
 * hour. A wave goes on while changes to the same settings follow within half an hour, and so has one name from its
 * beginning to its end.
 * @param fleet machines of the location. @returns sorted by their beginning.
 */
export function settingsWaves(changes: readonly SettingsChange[], fleet: number): SettingsWave[] {
  const byTarget = new Map<string, SettingsChange[]>();
  for (const change of changes) {
    const list = byTarget.get(change.to);
    if (list) list.push(change);
    else byTarget.set(change.to, [change]);
  }
  const waves: SettingsWave[] = [];
  for (const [to, list] of byTarget) {
    const sorted = [...list].sort((a, b) => a.at - b.at || (a.machine < b.machine ? -1 : 1));
    let begin = 0;
    sorted.forEach((change, index) => {
      const next = sorted[index + 1];
      if (next && next.at - change.at <= waveWindowMs) return;
      const run = sorted.slice(begin, index + 1);
      begin = index + 1;
      if (isWave(densest(run), fleet)) waves.push(waveOf(to, run));
    });
  }
  return waves.sort((a, b) => a.from - b.from || (a.id < b.id ? -1 : 1));
}

/** Most machines that changed within one half hour. */
function densest(run: readonly SettingsChange[]): number {
  const inside = new Map<string, number>();
  let first = 0;
  let most = 0;
  for (const { machine, at } of run) {
    inside.set(machine, (inside.get(machine) ?? 0) + 1);
    for (let old = run[first]; old && at - old.at > waveWindowMs; old = run[first]) {
      const left = (inside.get(old.machine) ?? 1) - 1;
      if (left === 0) inside.delete(old.machine);
      else inside.set(old.machine, left);
      first += 1;
    }
    most = Math.max(most, inside.size);
  }
  return most;
}

function waveOf(to: string, run: readonly SettingsChange[]): SettingsWave {
  const from = run[0]?.at ?? 0;
  return {
    id: `${to}@${new Date(from).toISOString().slice(0, 16)}Z`,
    to,
    from,
    until: run.at(-1)?.at ?? from,
    machines: [...new Set(run.map(({ machine }) => machine))].sort(),
  };
}
