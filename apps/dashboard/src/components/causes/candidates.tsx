import { formatCount, middleCutHost, safeText } from "@lynceus/protocol/present";
import type { CauseCandidate } from "@lynceus/protocol/read-api";
import Link from "next/link";
import { Panel } from "../layout/panel.tsx";
import { machinesHref } from "../machines/links.ts";
import styles from "./causes.module.css";
import { keyTitles, separatesText, sharedTerm, valueText } from "./words.ts";

/** What the failing machines share and the healthy ones do not, the strongest first. */
export function Candidates(props: {
  candidates: readonly CauseCandidate[];
  /** The one that is named as the cause. */
  named: Pick<CauseCandidate, "key" | "value"> | null;
  failing: number;
  healthy: number;
  sub: string;
  note?: string | null;
}) {
  const { candidates, named, failing, healthy, sub, note = null } = props;
  const isNamed = (one: CauseCandidate) => named !== null && one.key === named.key && one.value === named.value;
  return (
    <Panel title="What the failing share, and the healthy do not" sub={sub}>
      {candidates.length === 0 ? (
        <p className={styles.none}>Nothing was compared yet.</p>
      ) : (
        <div className={styles.scroll}>
          <table className={styles.candidates}>
            <thead>
              <tr>
                <th scope="col">Shared value</th>
                <th scope="col" className={styles.wide}>
                  <span className="vh">Value</span>
                </th>
                <th scope="col" className={styles.right}>
                  of {formatCount(failing)} failing
                </th>
                <th scope="col" className={styles.wide}>
                  <span className="vh">Shares</span>
                </th>
                <th scope="col">of {formatCount(healthy)} healthy</th>
                <th scope="col" className={styles.wide}>
                  <span className="vh">What that says</span>
                </th>
              </tr>
            </thead>
            <tbody>
              {candidates.map((one) => (
                <tr key={`${one.key}:${one.value}`} data-named={isNamed(one)}>
                  <th scope="row" className={styles.key}>
                    {keyTitles[one.key]}
                    <span className={styles.narrow}>
                      <Value candidate={one} most={19} />
                    </span>
                  </th>
                  <td className={`${styles.value} ${styles.wide}`}>
                    <Value candidate={one} />
                  </td>
                  <td className={styles.right}>
                    <Known count={one.failingWith} of={one.failingWith + one.failingWithout} />
                  </td>
                  <td className={styles.wide}>
                    <span className={styles.bars} aria-hidden="true">
                      <span>
                        <i style={{ width: share(one.failingWith, one.failingWith + one.failingWithout) }} />
                      </span>
                      <span>
                        <i style={{ width: share(one.healthyWith, one.healthyWith + one.healthyWithout) }} />
                      </span>
                    </span>
                  </td>
                  <td>
                    <Known count={one.healthyWith} of={one.healthyWith + one.healthyWithout} />
                  </td>
                  <td className={`${styles.said} ${styles.wide}`}>{separatesText(one)}</td>
                </tr>
              ))}
            </tbody>
          </table>
        </div>
      )}
      {note === null ? null : <p className={styles.note}>{note}</p>}
    </Panel>
  );
}

function Value({ candidate, most = 24 }: { candidate: CauseCandidate; most?: number }) {
  const query = sharedTerm(candidate);
  const text = <bdi title={safeText(candidate.value)}>{middleCutHost(valueText(candidate), most)}</bdi>;
  return query === null ? (
    text
  ) : (
    <Link href={machinesHref(query)} prefetch={false}>
      {text}
    </Link>
  );
}

/** A count, or that nobody's value was seen. */
function Known({ count, of }: { count: number; of: number }) {
  return <span className={of === 0 ? "dim" : undefined}>{formatCount(of === 0 ? null : count)}</span>;
}

const share = (count: number, of: number) => `${of === 0 ? 0 : (100 * count) / of}%`;
