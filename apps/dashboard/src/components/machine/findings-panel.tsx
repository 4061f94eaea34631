import { textsOf } from "@lynceus/diagnosis/texts";
import { formatTime, safeText } from "@lynceus/protocol/present";
import type { MachineFinding } from "@lynceus/protocol/read-api";
import Link from "next/link";
import { Panel } from "../layout/panel.tsx";
import { observedHref } from "../machines/links.ts";
import { StatusMark } from "../status/status-mark.tsx";
import styles from "./machine.module.css";

const shownEvidence = 4;

/** Findings of this machine, those that hold now and those before, each sentence with the observation it rests on. */
export function FindingsPanel({
  machineId,
  findings,
  now,
  zone,
}: {
  machineId: string;
  findings: readonly (MachineFinding & { id: string })[];
  now: number;
  zone: string;
}) {
  return (
    <Panel title="Findings" sub="now and before">
      {findings.length === 0 ? (
        <p className={styles.none}>No finding was ever raised on this machine.</p>
      ) : (
        <div className={styles.scroll}>
          <table className={styles.findings}>
            <thead>
              <tr>
                <th scope="col">Finding</th>
                <th scope="col">Severity</th>
                <th scope="col">From</th>
                <th scope="col">Until</th>
              </tr>
            </thead>
            <tbody>
              {findings.map((finding) => (
                <tr key={finding.id}>
                  <td>
                    <span style={{ display: "inline-flex", gap: 6, alignItems: "center" }}>
                      <StatusMark
                        status={
                          finding.clearedAt ? "signed-off" : finding.severity === "prompting" ? "failing" : "at-risk"
                        }
                      />
                      <bdi>{safeText(finding.cause)}</bdi>
                    </span>
                    <small>
                      {textsOf(finding.pattern)?.title ?? finding.pattern} · {finding.pattern}
                      {finding.primary ? " · primary" : ""}
                    </small>
                    {finding.evidence.slice(0, shownEvidence).map((item) => (
                      <small key={item.text}>
                        <bdi>{safeText(item.text)}</bdi>
                        {item.key === null || item.at === null ? null : (
                          <>
                            {" "}
                            <Link
                              className={`link ${styles.rawLink}`}
                              href={observedHref(machineId, item.key, item.at)}
                            >
                              raw
                            </Link>
                          </>
                        )}
                      </small>
                    ))}
                  </td>
                  <td className="nowrap" data-label="">
                    {finding.severity} <small>confidence {finding.confidence}</small>
                  </td>
                  <td className="nowrap" data-label="from">
                    {formatTime(Date.parse(finding.since), { now, zone })}
                  </td>
                  <td className="nowrap" data-label={finding.clearedAt ? "until" : ""}>
                    {finding.clearedAt ? formatTime(Date.parse(finding.clearedAt), { now, zone }) : "holds"}
                  </td>
                </tr>
              ))}
            </tbody>
          </table>
        </div>
      )}
    </Panel>
  );
}
