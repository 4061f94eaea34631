import { formatCount, formatDuration, formatShare } from "@lynceus/protocol/present";
import type { Counts } from "@lynceus/protocol/read-api";
import Link from "next/link";
import { Panel } from "../layout/panel.tsx";
import { machinesHref, reporting, term } from "../machines/links.ts";
import { Count } from "../status/count.tsx";
import styles from "./overview.module.css";
import { reportingCount } from "./sentence.ts";
import { deltaText } from "./trend.ts";

/**
 * The four counts, their bar to scale, and who is in none of them. `staleAfter` in ms, null where it is not known;
 * `linked` is false for a moment gone by, of which no list is kept.
 */
export function FleetState(props: {
  counts: Counts;
  /** Against an hour before; null where nobody counted then. */
  change: Counts | null;
  staleAfter: number | null;
  inSite?: string | null;
  linked?: boolean;
}) {
  const { counts, change, staleAfter, inSite = null, linked = true } = props;
  const all = reportingCount(counts);
  const status = (value: string) => (linked ? machinesHref(term("status", value), inSite) : null);
  const four = [
    ["healthy", counts.healthy, change?.healthy, "Exchange answers on the configured route", "ok-fill"],
    ["failing", counts.failing, change?.failing, "Not reached, or no silent sign-in", "bad-fill"],
    [
      "stale",
      counts.stale,
      change?.stale,
      staleAfter === null
        ? "Silent too long; not counted as bad"
        : `Silent for over ${formatDuration(staleAfter)}; not counted as bad`,
      "stale-fill",
    ],
    ["cannot-tell", counts.cannotTell, change?.cannotTell, "The facts do not allow a verdict", "unk-fill"],
  ] as const;
  const machines = `${formatCount(all)} ${all === 1 ? "machine" : "machines"}`;
  const one = counts.signedOff === 1;
  return (
    <Panel label="Fleet state">
      <div className={styles.counts}>
        {four.map(([name, count, delta, meaning]) => (
          <Count
            key={name}
            status={name}
            value={formatCount(count)}
            share={all === 0 ? undefined : formatShare(count, all)}
            change={deltaText(delta)}
            meaning={meaning}
            href={status(name)}
          />
        ))}
      </div>
      <div
        className={styles.prop}
        role="img"
        aria-label={`To scale: ${four.map(([name, count]) => `${formatCount(count)} ${name.replace("-", " ")}`).join(", ")}`}
      >
        {four.map(([name, count, , , fill]) =>
          count > 0 ? <i key={name} style={{ flex: count, background: `var(--${fill})` }} /> : null,
        )}
      </div>
      <p className={styles.small}>
        To scale, {linked ? <Link href={machinesHref(reporting, inSite)}>{machines}</Link> : machines}.{" "}
        {counts.signedOff > 0
          ? `${formatCount(counts.signedOff)} more ${one ? "machine" : "machines"} signed off (asleep or shut down) and ${
              linked ? (one ? "is" : "are") : one ? "was" : "were"
            } in none of the four.`
          : "No machine signed off."}
        {counts.signedOff > 0 && linked ? (
          <>
            {" "}
            <Link className="link" href={machinesHref(term("status", "signed-off"), inSite)}>
              Show them
            </Link>
          </>
        ) : null}
      </p>
    </Panel>
  );
}
