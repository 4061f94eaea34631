import { Panel } from "../../components/layout/panel.tsx";
import { type MarkStatus, StatusMark } from "../../components/status/status-mark.tsx";
import type { Discovery } from "../../lib/discovery/discover.ts";
import type { Step } from "../../lib/discovery/step.ts";
import styles from "./setup.module.css";

const marks: Record<Step["outcome"], MarkStatus> = {
  found: "healthy",
  missing: "signed-off",
  refused: "cannot-tell",
  failed: "cannot-tell",
};
const words: Record<Step["outcome"], string> = {
  found: "Found",
  missing: "Not there",
  refused: "Not asked",
  failed: "No answer",
};

/** What was looked for, each with its answer and time. */
export function Found({ discovery }: { discovery: Discovery }) {
  const { ews, lyncWeb, domains } = discovery;
  const servers = ews.length + lyncWeb.length;
  return (
    <Panel title="What was found" sub="asked from this server, without credentials">
      <p className={styles.summary} role="status">
        {servers === 0
          ? "No Exchange or Lync server answered. That can be right: servers may be reachable only from inside, or this server may have no DNS. Enter them below; they can be saved as they are."
          : `${sentence("Exchange", ews)} ${sentence("Lync web services", lyncWeb)}`}
      </p>
      {domains.map(({ domain, kind, steps }) => (
        <table key={`${kind}-${domain}`} className={styles.steps}>
          <caption>
            <bdi>{domain}</bdi> <span>{kind === "smtp" ? "SMTP" : "SIP"}</span>
          </caption>
          <thead className="vh">
            <tr>
              <th scope="col">Result</th>
              <th scope="col">Asked</th>
              <th scope="col">Answer</th>
              <th scope="col">Time</th>
            </tr>
          </thead>
          <tbody>
            {steps.map((step) => (
              <tr key={step.what}>
                <td>
                  <span className={styles.outcome}>
                    <StatusMark status={marks[step.outcome]} />
                    {words[step.outcome]}
                  </span>
                </td>
                <td className="mono">
                  <bdi>{step.what}</bdi>
                </td>
                <td className="mono">
                  <bdi>{step.answer}</bdi>
                </td>
                <td className={styles.ms}>{step.ms} ms</td>
              </tr>
            ))}
          </tbody>
        </table>
      ))}
    </Panel>
  );
}

const sentence = (what: string, hosts: readonly string[]) =>
  hosts.length === 0 ? `${what}: none found.` : `${what}: ${hosts.join(", ")}.`;
