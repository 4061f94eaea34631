import type { PatternTexts } from "@lynceus/diagnosis/texts";
import { Panel } from "../layout/panel.tsx";
import styles from "./machine.module.css";

/** What fixes it: who does it, what, and the reference that says so. The words are the pattern's; `none` without one. */
export function FixPanel({ texts, none }: { texts: PatternTexts | null; none: string }) {
  if (texts === null) {
    return (
      <Panel title="What fixes it">
        <p className={styles.none}>{none}</p>
      </Panel>
    );
  }
  return (
    <Panel
      title="What fixes it"
      sub={`${texts.whoFixes.charAt(0).toLowerCase()}${texts.whoFixes.slice(1)}, in this order`}
    >
      <ol className={styles.fix}>
        {texts.remedy.map((step, i) => (
          <li key={step.what}>
            <i>{i + 1}</i>
            <div>
              <b>{step.who}:</b> {step.what}{" "}
              {step.reference ? <span className={styles.ref}>{step.reference}</span> : null}
              {i === 0 ? <small>{texts.mechanism}</small> : null}
            </div>
          </li>
        ))}
      </ol>
    </Panel>
  );
}
