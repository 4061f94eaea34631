import { formatCount, formatTime, safeText } from "@lynceus/protocol/present";
import type { Attribution, Cause } from "@lynceus/protocol/read-api";
import Link from "next/link";
import { Chip } from "../status/chip.tsx";
import { StatusMark } from "../status/status-mark.tsx";
import styles from "./causes.module.css";
import { causeSubject, healthyText, keyTitles, locationWords, misfitText, valueText } from "./words.ts";

/** Open causes, one a row, the one that explains most first. */
export function CauseList(props: { attributions: readonly Attribution[]; now: number; zone: string }) {
  const { attributions, now, zone } = props;
  const causes = attributions.flatMap((one) => one.causes).sort((a, b) => b.explains - a.explains);
  if (causes.length === 0) {
    return (
      <p className={styles.none}>
        {attributions.some((one) => one.failing > 0)
          ? "No cause is named."
          : "No machine fails that could be compared."}
      </p>
    );
  }
  const several = new Set(causes.map((cause) => cause.location)).size > 1;
  return (
    <table className={styles.members}>
      <thead className="vh">
        <tr>
          <th scope="col">State</th>
          <th scope="col">Cause</th>
          <th scope="col">Explains</th>
          <th scope="col">First failure</th>
        </tr>
      </thead>
      <tbody>
        {causes.map((cause) => (
          <tr key={cause.id}>
            <td style={{ width: 30 }}>
              <StatusMark status="failing" size={13} />
              <span className="vh">failing</span>
            </td>
            <td>
              <Row cause={cause} several={several} now={now} zone={zone} />
            </td>
            <td className={`${styles.right} nowrap`}>
              <b className="figure">{formatCount(cause.explains)}</b>{" "}
              <span className="dim">of {formatCount(cause.of)}</span>
            </td>
            <td className={`${styles.seen} nowrap dim`} style={{ width: 84 }}>
              {cause.firstSeen === null ? "unknown" : formatTime(Date.parse(cause.firstSeen), { now, zone })}
            </td>
          </tr>
        ))}
      </tbody>
    </table>
  );
}

function Row({ cause, several, now, zone }: { cause: Cause; several: boolean; now: number; zone: string }) {
  const misfits = misfitText(cause.failingWithout);
  return (
    <>
      <Link href={`/causes/${cause.id}`} prefetch={false}>
        <b className={styles.subject}>
          <bdi>{causeSubject(cause, { now, zone })}</bdi>
        </b>
      </Link>{" "}
      {cause.simulated ? <Chip>simulated</Chip> : null}
      <small className={styles.under}>
        <bdi>
          {[
            cause.change === null ? null : safeText(cause.change.text),
            cause.change?.by === "value" || cause.change === null
              ? null
              : `${keyTitles[cause.key].toLowerCase()} ${valueText(cause)}`,
            healthyText(cause),
            misfits,
            several ? locationWords[cause.location] : null,
            `confidence ${cause.confidence}`,
          ]
            .filter((part) => part !== null)
            .join(" · ")}
        </bdi>
      </small>
    </>
  );
}
