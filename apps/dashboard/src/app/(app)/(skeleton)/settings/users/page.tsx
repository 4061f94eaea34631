import { listUsers, type UserRow } from "@lynceus/db/users";
import { scopeText } from "@lynceus/protocol/access";
import { formatCount, safeText } from "@lynceus/protocol/present";
import type { Metadata } from "next";
import Link from "next/link";
import forms from "../../../../../components/forms/forms.module.css";
import { Panel } from "../../../../../components/layout/panel.tsx";
import { LocalTime } from "../../../../../components/local-time.tsx";
import { SettingsHeader } from "../../../../../components/settings/settings-header.tsx";
import { NewUserForm, SecondFactorRule } from "../../../../../components/settings/user-forms.tsx";
import { Chip } from "../../../../../components/status/chip.tsx";
import { database } from "../../../../../lib/db.ts";
import { knownNames } from "../../../../../lib/known-names.ts";
import { requireRight } from "../../../../../lib/session.ts";
import { readSignInRules } from "../../../../../lib/sign-in-rules.ts";
import { readSignOn } from "../../../../../lib/sign-on/settings.ts";

export const metadata: Metadata = { title: "Users" };

/** Who may do what, and see which machines? */
export default async function UsersPage() {
  const { id: self, access, fleet } = await requireRight("configure");
  const now = Date.now();
  const [users, known, rules, signOn] = await Promise.all([
    listUsers(database()),
    knownNames(fleet),
    readSignInRules(database()),
    readSignOn(database()),
  ]);
  return (
    <>
      <SettingsHeader access={access} title="Users" />
      <h1 className="vh">Users</h1>
      <div className={forms.columns} data-wide="first">
        <Panel title="Accounts" sub={formatCount(users.length)}>
          <div className={forms.scroll}>
            <table className={forms.table}>
              <thead>
                <tr>
                  <th scope="col">Account</th>
                  <th scope="col" className={forms.wide}>
                    Role
                  </th>
                  <th scope="col" className={forms.wide}>
                    Sees
                  </th>
                  <th scope="col" className={forms.wide}>
                    Last sign-in
                  </th>
                </tr>
              </thead>
              <tbody>
                {users.map((user) => (
                  <User key={user.id} user={user} isSelf={user.id === self} now={now} />
                ))}
              </tbody>
            </table>
          </div>
        </Panel>
        <div className={forms.column}>
          <Panel title="Add an account">
            <div className={forms.body}>
              <NewUserForm known={known} hasSso={signOn?.enabled ?? false} />
            </div>
          </Panel>
          <Panel title="Signing in with a password">
            <div className={forms.body}>
              <SecondFactorRule value={rules.secondFactor} />
            </div>
          </Panel>
        </div>
      </div>
    </>
  );
}

function User({ user, isSelf, now }: { user: UserRow; isSelf: boolean; now: number }) {
  return (
    <tr data-over={user.disabledAt !== null}>
      <td>
        <Link className="link" href={`/settings/users/${encodeURIComponent(user.id)}`}>
          <b>
            <bdi>{safeText(user.name)}</bdi>
          </b>
        </Link>{" "}
        {isSelf ? <Chip>you</Chip> : null} {user.disabledAt === null ? null : <Chip>disabled</Chip>}
        <small>
          <bdi>{safeText(user.email)}</bdi>
        </small>
        <small className={forms.narrow}>
          {user.access.role}, <bdi>{safeText(scopeText(user.access), 80)}</bdi>
        </small>
      </td>
      <td className={forms.wide}>{user.access.role}</td>
      <td className={forms.wide}>
        <bdi>{safeText(scopeText(user.access), 80)}</bdi>
        <small>
          {[user.hasPassword ? "password" : null, user.twoFactor ? "code" : null, user.hasSso ? "single sign-on" : null]
            .filter((way) => way !== null)
            .join(", ") || "has not signed in yet"}
        </small>
      </td>
      <td className={`${forms.wide} nowrap`}>
        {user.lastSignInAt === null ? "never" : <LocalTime at={user.lastSignInAt.getTime()} now={now} />}
      </td>
    </tr>
  );
}
