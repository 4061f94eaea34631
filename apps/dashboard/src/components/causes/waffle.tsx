import type { CohortGroup } from "@lynceus/db/cohort-sites";
import { formatCount, safeText } from "@lynceus/protocol/present";
import type { VerificationMachineState } from "@lynceus/protocol/read-api-tools";
import type { ReactNode } from "react";
import styles from "./causes.module.css";

/** More machines than this are shown as lengths: single squares could not be told apart. */
const mostSquares = 600;
const mostSites = 12;

/** Those that are well first, so that what is left stands at the end of each site. */
const order: readonly VerificationMachineState[] = [
  "fixed",
  "other",
  "waiting",
  "asked",
  "unreachable",
  "cannot-tell",
  "still",
];

const fills: Record<VerificationMachineState, string> = {
  fixed: "var(--ok-fill)",
  other: "var(--bad-fill)",
  waiting: "var(--line2)",
  asked: "var(--ink3)",
  unreachable: "var(--stale-fill)",
  "cannot-tell": "var(--unk)",
  still: "var(--bad-fill)",
};

const shapes: Record<VerificationMachineState, ReactNode> = {
  fixed: <rect x="0.5" y="0.5" width="7" height="7" rx="1" fill={fills.fixed} />,
  other: <path d="M4 .8 7.2 4 4 7.2.8 4Z" fill="none" stroke={fills.other} strokeWidth="1.2" />,
  waiting: <rect x="1" y="1" width="6" height="6" rx="1" fill="none" stroke={fills.waiting} />,
  asked: <rect x="1" y="1" width="6" height="6" rx="1" fill="none" stroke={fills.asked} strokeWidth="1.4" />,
  unreachable: (
    <>
      <circle cx="4" cy="4" r="3.2" fill="none" stroke="var(--stale)" />
      <path d="M4 .8a3.2 3.2 0 0 1 0 6.4Z" fill={fills.unreachable} />
    </>
  ),
  "cannot-tell": (
    <rect x="1" y="1" width="6" height="6" rx="1.5" fill="none" stroke={fills["cannot-tell"]} strokeWidth="1.6" />
  ),
  still: <path d="M4 0 8 4 4 8 0 4Z" fill={fills.still} />,
};

export const stateWords: Record<VerificationMachineState, string> = {
  fixed: "verified",
  other: "fails for another cause",
  waiting: "waiting",
  asked: "probing",
  unreachable: "did not answer",
  "cannot-tell": "cannot tell",
  still: "still failing",
};

/** One square a machine, by site: verified, failing (diamond), silent (circle), not yet asked (outline). */
export function Waffle({ sites }: { sites: readonly CohortGroup<VerificationMachineState>[] }) {
  const total = sites.reduce((sum, site) => sum + site.machines, 0);
  const shown = sites.slice(0, mostSites);
  return (
    <dl className={styles.waffle}>
      {shown.map((site) => {
        const states = order.filter((state) => (site.states[state] ?? 0) > 0);
        const words = states.map((state) => `${formatCount(site.states[state] ?? 0)} ${stateWords[state]}`).join(", ");
        return (
          <div key={site.name ?? ""}>
            <dt>
              <bdi>{site.name === null ? "no site" : safeText(site.name)}</bdi>
              <div className="dim">
                {formatCount((site.states.fixed ?? 0) + (site.states.other ?? 0))} of {formatCount(site.machines)}
              </div>
            </dt>
            <dd>
              {total <= mostSquares ? (
                <span role="img" aria-label={words} className={styles.squares}>
                  {states.flatMap((state) =>
                    Array.from({ length: site.states[state] ?? 0 }, (_, i) => (
                      // biome-ignore lint/suspicious/noArrayIndexKey: squares of one state are alike.
                      <svg key={`${state}-${i}`} width="8" height="8" viewBox="0 0 8 8" aria-hidden="true">
                        {shapes[state]}
                      </svg>
                    )),
                  )}
                </span>
              ) : (
                <span role="img" aria-label={words} className={styles.split}>
                  {states.map((state) => (
                    <i key={state} style={{ flex: site.states[state] ?? 0, background: fills[state] }} />
                  ))}
                </span>
              )}
            </dd>
          </div>
        );
      })}
      {sites.length > shown.length ? (
        <div>
          <dt className="dim">{formatCount(sites.length - shown.length)} more sites</dt>
          <dd>{formatCount(sites.slice(mostSites).reduce((sum, site) => sum + site.machines, 0))} machines</dd>
        </div>
      ) : null}
    </dl>
  );
}
