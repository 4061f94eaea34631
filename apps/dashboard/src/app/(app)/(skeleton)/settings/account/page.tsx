import { listSessions } from "@lynceus/db/users";
import { scopeText } from "@lynceus/protocol/access";
import { safeText } from "@lynceus/protocol/present";
import type { Metadata } from "next";
import { ConfirmButton } from "../../../../../components/confirm-button.tsx";
import forms from "../../../../../components/forms/forms.module.css";
import { Panel } from "../../../../../components/layout/panel.tsx";
import { LocalTime } from "../../../../../components/local-time.tsx";
import { deviceText } from "../../../../../components/settings/device-text.ts";
import { PasswordForm } from "../../../../../components/settings/password-form.tsx";
import settings from "../../../../../components/settings/settings.module.css";
import { SettingsHeader } from "../../../../../components/settings/settings-header.tsx";
import { TwoFactor } from "../../../../../components/settings/two-factor.tsx";
import { SignOutButton } from "../../../../../components/shell/sign-out-button.tsx";
import { Chip } from "../../../../../components/status/chip.tsx";
import { database } from "../../../../../lib/db.ts";
import { requireRight } from "../../../../../lib/session.ts";
import { needsSecondFactor, readSignInRules } from "../../../../../lib/sign-in-rules.ts";
import { endAllSessions, endOtherSessions, endSession } from "./actions.ts";

export const metadata: Metadata = { title: "Account" };

/** One's own account: who one is here, how one signs in, and where one is signed in. */
export default async function AccountPage() {
  const user = await requireRight("read");
  const now = Date.now();
  const sessions = await listSessions(database(), user.id, new Date(now));
  const mayRemove = !needsSecondFactor(await readSignInRules(database()), user.access);
  return (
    <>
      <SettingsHeader access={user.access} title="Account" />
      <h1 className="vh">Account</h1>
      <div className={forms.columns}>
        <div className={forms.column}>
          <Panel title={<bdi>{safeText(user.name)}</bdi>} sub={<bdi>{safeText(user.email)}</bdi>} id="account">
            <dl className={forms.facts}>
              <dt>Role</dt>
              <dd>{user.access.role}</dd>
              <dt>Sees</dt>
              <dd>
                <bdi>{safeText(scopeText(user.access))}</bdi>
              </dd>
              <dt>Signs in</dt>
              <dd>
                {user.hasPassword ? "with a password" : "by single sign-on"}
                {user.twoFactor ? " and a code" : ""}
              </dd>
            </dl>
            <div className={settings.leave}>
              <SignOutButton className={settings.signOut ?? ""} />
            </div>
          </Panel>
          <Panel
            title="Sessions"
            sub="where this account is signed in"
            more={
              <form action={endAllSessions}>
                <ConfirmButton label="Log out everywhere" again="Log out everywhere now" />
              </form>
            }
          >
            <div className={forms.scroll}>
              <table className={forms.table}>
                <thead>
                  <tr>
                    <th scope="col">Device</th>
                    <th scope="col">Since</th>
                    <th scope="col">
                      <span className="vh">Act</span>
                    </th>
                  </tr>
                </thead>
                <tbody>
                  {sessions.map((session) => (
                    <tr key={session.id}>
                      <td>
                        <b>
                          <bdi>{deviceText(session.userAgent)}</bdi>
                        </b>
                        <small className="mono">
                          <bdi>{session.ipAddress ? safeText(session.ipAddress, 64) : "address not known"}</bdi>
                        </small>
                      </td>
                      <td className="nowrap">
                        <LocalTime at={session.createdAt.getTime()} now={now} />
                      </td>
                      <td>
                        <div className={forms.acts}>
                          {session.id === user.sessionId ? (
                            <Chip>this one</Chip>
                          ) : (
                            <form action={endSession}>
                              <input type="hidden" name="id" value={session.id} />
                              <ConfirmButton label="End" again="End now" describes={deviceText(session.userAgent)} />
                            </form>
                          )}
                        </div>
                      </td>
                    </tr>
                  ))}
                </tbody>
              </table>
            </div>
            {sessions.length > 1 ? (
              <div className={forms.below}>
                <form action={endOtherSessions}>
                  <ConfirmButton label="End all others" again="End all others now" />
                </form>
              </div>
            ) : null}
          </Panel>
        </div>
        <div className={forms.column}>
          {user.hasPassword ? (
            <>
              <Panel
                title="Second factor"
                sub={user.twoFactor ? "a code of an authenticator app is asked for" : "not set up"}
              >
                <div className={forms.body}>
                  <TwoFactor on={user.twoFactor} mayRemove={mayRemove} />
                </div>
              </Panel>
              <Panel title="Password" sub="changing it ends all other sessions">
                <div className={forms.body}>
                  <PasswordForm />
                </div>
              </Panel>
            </>
          ) : (
            <Panel title="Password and second factor">
              <p className={forms.none}>This account signs in by single sign-on: its provider asks for both.</p>
            </Panel>
          )}
        </div>
      </div>
    </>
  );
}
