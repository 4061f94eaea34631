import type { PolicyDifference } from "@lynceus/protocol/policy-diff";
import { safeText } from "@lynceus/protocol/present";
import forms from "../forms/forms.module.css";

/** What two versions differ in; `before` and `after` head the columns. */
export function Differences(props: { items: readonly PolicyDifference[]; before: string; after: string }) {
  const { items, before, after } = props;
  if (items.length === 0) return <p className={forms.none}>Nothing: both say the same.</p>;
  return (
    <div className={forms.scroll}>
      <table className={forms.table}>
        <thead>
          <tr>
            <th scope="col">What</th>
            <th scope="col">{before}</th>
            <th scope="col">{after}</th>
          </tr>
        </thead>
        <tbody>
          {items.map((item) => (
            <tr key={item.what}>
              <td>
                <bdi>{safeText(item.what)}</bdi>
              </td>
              <td className={`mono ${forms.break}`}>
                <bdi>{item.before === null ? "not there" : safeText(item.before)}</bdi>
              </td>
              <td className={`mono ${forms.break}`}>
                <bdi>{item.after === null ? "not there" : safeText(item.after)}</bdi>
              </td>
            </tr>
          ))}
        </tbody>
      </table>
    </div>
  );
}
