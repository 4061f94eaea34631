import type { Policy } from "@lynceus/protocol/policy";
import { safeText } from "@lynceus/protocol/present";
import forms from "../forms/forms.module.css";
import { addressText, groupText, presetOf } from "./words.ts";

/** What a policy makes agents probe, by preset. */
export function TargetTable({ policy }: { policy: Policy }) {
  return (
    <div className={forms.scroll}>
      <table className={forms.table}>
        <thead>
          <tr>
            <th scope="col">Target</th>
            <th scope="col" className={forms.wide}>
              Preset
            </th>
            <th scope="col" style={{ width: "44%" }}>
              Asked
            </th>
            <th scope="col" className={forms.wide}>
              Decides
            </th>
          </tr>
        </thead>
        <tbody>
          {policy.targets.map((target) => (
            <tr key={target.id}>
              <td>
                <bdi className="mono">{safeText(target.id)}</bdi>
                <small>{target.cadence === "cycle" ? "each cycle" : "now and then"}</small>
              </td>
              <td className={forms.wide}>{presetOf(target)}</td>
              <td className={forms.break}>
                <bdi className="mono">{safeText(addressText(target))}</bdi>
                {target.locations.length === 4 ? null : <small>{target.locations.join(", ")}</small>}
              </td>
              <td className={forms.wide}>{safeText(groupText(policy, target))}</td>
            </tr>
          ))}
        </tbody>
      </table>
    </div>
  );
}
