import { allows, everyMachine, type Right, type Role, roles } from "@lynceus/protocol/access";
import type { Metadata } from "next";
import forms from "../../../../../components/forms/forms.module.css";
import { Panel } from "../../../../../components/layout/panel.tsx";
import settings from "../../../../../components/settings/settings.module.css";
import { SettingsHeader } from "../../../../../components/settings/settings-header.tsx";
import { requireRight } from "../../../../../lib/session.ts";

export const metadata: Metadata = { title: "Roles" };

/** Rights in words, in the order of the table. Those of the installation need the whole fleet. */
const texts: Record<Right, string> = {
  read: "See machines, causes, changes and figures; report what a user saw",
  oversee: "See what is of the whole installation and of no machine",
  operate: "Ask machines to check, verify a fix, propose a canary; delete reports",
  place: "Change sites and tags of machines: they decide who sees them",
  administer: "Enrolment tokens; let machines in, revoke and retire them",
  configure: "Targets and policies, users, API tokens, sign-on, audit log",
};

const titles: Record<Role, string> = { viewer: "Viewer", operator: "Operator", admin: "Admin" };

/** What does each role hold, with the whole fleet and with a part of it? */
export default async function RolesPage() {
  const { access } = await requireRight("read");
  const part = { sites: ["a part"], tags: null };
  return (
    <>
      <SettingsHeader access={access} title="Roles" />
      <h1 className="vh">Roles</h1>
      <Panel title="What each role holds" sub={`you are ${access.role}`}>
        <div className={forms.scroll}>
          <table className={`${forms.table} ${settings.roles}`}>
            <thead>
              <tr>
                <th scope="col">Right</th>
                {roles.map((role) => (
                  <th key={role} scope="col">
                    {titles[role]}
                  </th>
                ))}
              </tr>
            </thead>
            <tbody>
              {(Object.keys(texts) as Right[]).map((right) => (
                <tr key={right}>
                  <td>{texts[right]}</td>
                  {roles.map((role) => {
                    const whole = allows({ role, ...everyMachine }, right);
                    const inPart = allows({ role, ...part }, right);
                    return (
                      <td key={role} className={whole ? undefined : "dim"}>
                        {whole ? (inPart ? "yes" : "with the whole fleet") : "no"}
                      </td>
                    );
                  })}
                </tr>
              ))}
            </tbody>
          </table>
        </div>
        <p className={forms.none}>
          A scope is a list of sites and tags. Who has one sees the machines at these sites or with these tags, and
          every count, cause, change and export is of those machines alone. A change of role or scope holds at the next
          click.
        </p>
      </Panel>
    </>
  );
}
