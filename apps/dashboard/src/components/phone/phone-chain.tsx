import { safeText } from "@lynceus/protocol/present";
import { isBehindWall, isWall, type Lane, type LaneStep, type StepState } from "../evidence-chain/lane.ts";
import styles from "./phone.module.css";

const rows = [
  ["dns", "DNS"],
  ["tcp", "TCP"],
  ["connect", "CONNECT"],
  ["tls", "TLS"],
  ["http", "HTTP"],
  ["auth", "Auth"],
] as const;

/** Both routes side by side, from top to bottom, where the line of sight ends; drawn by the server. */
export function PhoneChain({ lanes, through }: { lanes: readonly Lane[]; through: string }) {
  const shown = lanes.filter(({ id }) => id !== "control").slice(0, 2);
  if (shown.length === 0) return null;
  return (
    <section className={styles.panel} aria-label="Evidence chain">
      <table className={styles.chain} data-lanes={shown.length}>
        <thead>
          <tr>
            <th>
              <span className="vh">Step</span>
            </th>
            {shown.map((lane) => (
              <th key={lane.id} scope="col">
                <bdi>{lane.id === "direct" ? "Direct" : safeText(through, 40)}</bdi>
              </th>
            ))}
          </tr>
        </thead>
        <tbody>
          {rows.map(([column, title], row) => (
            <tr key={column}>
              <th scope="row">{title}</th>
              {shown.map((lane) => {
                const at = lane.steps.findIndex((step) => step.column === column);
                const step = lane.steps[at];
                return step === undefined ? (
                  <td key={lane.id} />
                ) : (
                  <Step key={lane.id} step={step} dark={isBehindWall(lane.steps, at)} last={row === rows.length - 1} />
                );
              })}
            </tr>
          ))}
        </tbody>
      </table>
    </section>
  );
}

function Step({ step, dark, last }: { step: LaneStep; dark: boolean; last: boolean }) {
  const wall = isWall(step.state);
  return (
    <td
      data-state={step.state}
      data-line={last ? "none" : wall || dark || step.state === "not-reached" ? "dotted" : "solid"}
    >
      <span className={styles.step}>
        <Shape state={step.state} dark={dark} />
        <span className={wall ? styles.wall : undefined}>
          <bdi>{textOf(step)}</bdi>
        </span>
      </span>
    </td>
  );
}

/** What was seen, in few words: of a wall also what was offered. */
function textOf({ column, state, value, details }: LaneStep): string {
  if (state === "not-reached") return "not reached";
  if (state === "not-applicable") return column === "connect" ? "none needed" : "not applicable";
  const [first] = details;
  if (column === "tls" && state === "ok" && first !== undefined) return safeText(first, 60);
  if (isWall(state) && column === "connect" && /^40[17]/.test(value) && first !== undefined)
    return safeText(`${value.slice(0, 3)}, ${first.replace(/^proxy offers /, "")}`, 60);
  return safeText(value, 60);
}

function Shape({ state, dark }: { state: StepState; dark: boolean }) {
  if (isWall(state))
    return (
      <svg width="20" height="14" viewBox="0 0 20 14" aria-hidden="true" className={styles.bar}>
        <rect y="4" width="20" height="6" rx="1" fill={state === "failed" ? "var(--bad-fill)" : "var(--off)"} />
      </svg>
    );
  return (
    <svg width="14" height="14" viewBox="0 0 14 14" aria-hidden="true">
      {state === "not-reached" || dark ? (
        <circle cx="7" cy="7" r="4" fill="var(--panel)" stroke="var(--line2)" strokeWidth="1.5" strokeDasharray="2 2" />
      ) : state === "not-applicable" ? (
        <circle cx="7" cy="7" r="3" fill="var(--panel)" stroke="var(--ok-fill)" strokeWidth="2" />
      ) : state === "slow" ? (
        <circle cx="7" cy="7" r="4.5" fill="var(--stale-fill)" stroke="var(--stale)" strokeWidth="1.4" />
      ) : (
        <circle cx="7" cy="7" r="5" fill="var(--ok-fill)" />
      )}
    </svg>
  );
}
