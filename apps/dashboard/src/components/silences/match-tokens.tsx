import { splitTerms, tokenParts } from "@lynceus/protocol/filter-completion";
import { safeText } from "@lynceus/protocol/present";
import styles from "./silences.module.css";

/** A filter as it was written, field by field. Empty: every machine. */
export function MatchTokens({ match }: { match: string }) {
  const terms = splitTerms(match);
  if (terms.length === 0) return <span className={styles.tokens}>every machine</span>;
  return (
    <span className={styles.tokens}>
      {terms.map((term, i) => {
        const { field, value, negated } = tokenParts(term);
        return (
          // biome-ignore lint/suspicious/noArrayIndexKey: two equal terms are two tokens.
          <code key={`${term}-${i}`} data-negated={negated}>
            <span>{safeText(field, 40)}</span>
            <b>
              <bdi>{safeText(value, 120)}</bdi>
            </b>
          </code>
        );
      })}
    </span>
  );
}
