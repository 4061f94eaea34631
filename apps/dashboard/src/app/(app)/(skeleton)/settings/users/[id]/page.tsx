import { getUser, listSessions } from "@lynceus/db/users";
import { scopeText } from "@lynceus/protocol/access";
import { formatCount, safeText } from "@lynceus/protocol/present";
import type { Metadata } from "next";
import Link from "next/link";
import { notFound } from "next/navigation";
import forms from "../../../../../../components/forms/forms.module.css";
import { Panel } from "../../../../../../components/layout/panel.tsx";
import { LocalTime } from "../../../../../../components/local-time.tsx";
import { deviceText } from "../../../../../../components/settings/device-text.ts";
import settings from "../../../../../../components/settings/settings.module.css";
import { SettingsHeader } from "../../../../../../components/settings/settings-header.tsx";
import { UserAccessForm, UserAct } from "../../../../../../components/settings/user-forms.tsx";
import { database } from "../../../../../../lib/db.ts";
import { knownNames } from "../../../../../../lib/known-names.ts";
import { requireRight } from "../../../../../../lib/session.ts";

export const metadata: Metadata = { title: "User" };

/** One account: its role and scope, its sessions, and what an admin may do to it. */
export default async function UserPage({ params }: { params: Promise<{ id: string }> }) {
  const { id: self, access, fleet } = await requireRight("configure");
  const { id } = await params;
  const user = await getUser(database(), decodeURIComponent(id));
  if (user === null) notFound();
  const now = Date.now();
  const [known, sessions] = await Promise.all([knownNames(fleet), listSessions(database(), user.id, new Date(now))]);
  const act = { id: user.id, describes: user.email };
  const isSelf = user.id === self;
  return (
    <>
      <SettingsHeader
        access={access}
        title={<bdi>{safeText(user.name)}</bdi>}
        above={[{ title: "Users", href: "/settings/users" }]}
      />
      <h1 className="vh">{safeText(user.name)}</h1>
      <div className={forms.columns}>
        <div className={forms.column}>
          <Panel title="Account" sub={<bdi>{safeText(user.email)}</bdi>}>
            <dl className={forms.facts}>
              <dt>Role</dt>
              <dd>{user.access.role}</dd>
              <dt>Sees</dt>
              <dd>
                <bdi>{safeText(scopeText(user.access))}</bdi>
              </dd>
              <dt>State</dt>
              <dd>
                {user.disabledAt === null ? (
                  "enabled"
                ) : (
                  <>
                    disabled <LocalTime at={user.disabledAt.getTime()} now={now} />
                  </>
                )}
              </dd>
              <dt>Made</dt>
              <dd>
                <LocalTime at={user.createdAt.getTime()} now={now} />
              </dd>
              <dt>Last sign-in</dt>
              <dd>{user.lastSignInAt === null ? "never" : <LocalTime at={user.lastSignInAt.getTime()} now={now} />}</dd>
              <dt>Done by it</dt>
              <dd>
                <Link className="link" href={`/settings/audit?actor=${encodeURIComponent(user.email)}`}>
                  In the audit log
                </Link>
              </dd>
            </dl>
          </Panel>
          <Panel title="Sessions" sub={formatCount(sessions.length)}>
            {sessions.length === 0 ? (
              <p className={forms.none}>It is signed in nowhere.</p>
            ) : (
              <ul className={settings.list}>
                {sessions.map((session) => (
                  <li key={session.id}>
                    <bdi>{deviceText(session.userAgent)}</bdi>
                    <small className="mono">
                      <bdi>{session.ipAddress ? safeText(session.ipAddress, 64) : ""}</bdi>
                    </small>
                    <LocalTime at={session.createdAt.getTime()} now={now} />
                  </li>
                ))}
              </ul>
            )}
            {sessions.length === 0 ? null : (
              <div className={forms.below}>
                <UserAct {...act} act="end-sessions" label="Log out everywhere" again="Log out everywhere now" />
              </div>
            )}
          </Panel>
        </div>
        <div className={forms.column}>
          <Panel title="Role and scope">
            {isSelf ? (
              <p className={forms.none}>This is your own account; another admin can change it.</p>
            ) : (
              <div className={forms.body}>
                {user.hasSso ? (
                  <p className="dim">
                    Groups of the sign-on provider decide again at the next single sign-on; what is set here holds until
                    then.
                  </p>
                ) : null}
                <UserAccessForm id={user.id} access={user.access} known={known} />
              </div>
            )}
          </Panel>
          {isSelf ? null : (
            <Panel title="Signing in">
              <div className={`${forms.body} ${forms.form}`}>
                <UserAct
                  {...act}
                  act="reset-password"
                  label={user.hasPassword ? "Reset the password" : "Give a password"}
                  again="Set a new password now"
                />
                {user.twoFactor ? (
                  <UserAct {...act} act="reset-second-factor" label="Remove the second factor" again="Remove it now" />
                ) : null}
                {user.disabledAt === null ? (
                  <UserAct {...act} act="disable" label="Disable" again="Disable now" />
                ) : (
                  <UserAct {...act} act="enable" label="Enable" />
                )}
                <UserAct {...act} act="remove" label="Remove the account" again="Remove it now" />
              </div>
            </Panel>
          )}
        </div>
      </div>
    </>
  );
}
