import { listApiTokens } from "@lynceus/db/api-tokens";
import { currentPolicy } from "@lynceus/db/policies";
import { listUsers } from "@lynceus/db/users";
import { allows } from "@lynceus/protocol/access";
import { formatCount, safeText } from "@lynceus/protocol/present";
import type { Metadata } from "next";
import Link from "next/link";
import { ConfirmButton } from "../../../../components/confirm-button.tsx";
import forms from "../../../../components/forms/forms.module.css";
import { PageHeader } from "../../../../components/layout/page-header.tsx";
import { Panel } from "../../../../components/layout/panel.tsx";
import { LocalTime } from "../../../../components/local-time.tsx";
import { SignOutButton } from "../../../../components/shell/sign-out-button.tsx";
import { Chip } from "../../../../components/status/chip.tsx";
import { database } from "../../../../lib/db.ts";
import { requireRight } from "../../../../lib/session.ts";
import { setupOf } from "../../../../lib/setup-input.ts";
import { changeRole, endApiToken } from "./actions.ts";
import { ApiTokenForm, PasswordForm, UserForm } from "./forms.tsx";
import styles from "./settings.module.css";

export const metadata: Metadata = { title: "Settings" };

export default async function SettingsPage() {
  const user = await requireRight("read");
  const admin = allows(user.access, "configure");
  const now = Date.now();
  const policy = await currentPolicy(database());
  const targets = policy === null ? null : setupOf(policy.body);
  return (
    <>
      <PageHeader title="Settings" />
      <h1 className="vh">Settings</h1>
      <div className={forms.columns}>
        <div className={forms.column}>
          <Panel
            title="Servers and domains"
            sub="what agents probe"
            more={
              admin ? (
                <Link className="link" href="/setup">
                  Change
                </Link>
              ) : undefined
            }
          >
            {policy === null || targets === null ? (
              <p className={forms.none}>Nothing yet: agents probe nothing until an admin says which servers.</p>
            ) : (
              <dl className={forms.facts}>
                <dt>Exchange</dt>
                <dd className="mono">{targets.ews}</dd>
                <dt>Lync web</dt>
                <dd className="mono">{targets.lyncWeb || "none"}</dd>
                <dt>SMTP domains</dt>
                <dd className="mono">{targets.smtpDomains || "none"}</dd>
                <dt>SIP domains</dt>
                <dd className="mono">{targets.sipDomains || "none"}</dd>
                <dt>Direct way out</dt>
                <dd>{targets.requiresProxy ? "closed on purpose" : "expected"}</dd>
                <dt>Targets</dt>
                <dd>
                  {formatCount(policy.body.targets.length)}, each {formatCount(policy.body.intervals.cycleMinutes)} min
                </dd>
                <dt>Version</dt>
                <dd>
                  {policy.version} by <bdi>{safeText(policy.createdBy)}</bdi>,{" "}
                  <LocalTime at={policy.createdAt.getTime()} now={now} />
                </dd>
              </dl>
            )}
          </Panel>
          {admin ? <ApiTokens now={now} /> : null}
        </div>
        <div className={forms.column}>
          <Panel
            title="Account"
            id="account"
            sub={
              <>
                <bdi>{user.name}</bdi>, <bdi>{user.email}</bdi>, {user.access.role}
              </>
            }
          >
            <div className={forms.body}>
              <PasswordForm />
            </div>
            <div className={styles.leave}>
              <SignOutButton className={styles.signOut ?? ""} />
            </div>
          </Panel>
          {admin ? <Accounts self={user.id} /> : null}
        </div>
      </div>
    </>
  );
}

async function Accounts({ self }: { self: string }) {
  const users = await listUsers(database());
  const admins = users.filter((user) => user.access.role === "admin").length;
  return (
    <Panel title="Accounts" sub="viewers read; admins also change">
      <div className={forms.scroll}>
        <table className={forms.table}>
          <thead className="vh">
            <tr>
              <th scope="col">Account</th>
              <th scope="col">Role</th>
              <th scope="col">Act</th>
            </tr>
          </thead>
          <tbody>
            {users.map((user) => (
              <tr key={user.id}>
                <td>
                  <b>
                    <bdi>{safeText(user.name)}</bdi>
                  </b>
                  <small>
                    <bdi>{safeText(user.email)}</bdi>
                  </small>
                </td>
                <td>{user.access.role}</td>
                <td>
                  {/* The last admin stays one: somebody has to be able to let others in. */}
                  {user.id === self || (user.access.role === "admin" && admins === 1) ? null : (
                    <div className={forms.acts}>
                      <form action={changeRole}>
                        <input type="hidden" name="id" value={user.id} />
                        <input type="hidden" name="to" value={user.access.role === "admin" ? "viewer" : "admin"} />
                        <ConfirmButton
                          label={user.access.role === "admin" ? "Make viewer" : "Make admin"}
                          describes={user.email}
                        />
                      </form>
                      <form action={changeRole}>
                        <input type="hidden" name="id" value={user.id} />
                        <input type="hidden" name="to" value="remove" />
                        <ConfirmButton label="Remove" again="Remove now" describes={user.email} />
                      </form>
                    </div>
                  )}
                </td>
              </tr>
            ))}
          </tbody>
        </table>
      </div>
      <details className={forms.details}>
        <summary>Add an account</summary>
        <div className={forms.body}>
          <UserForm />
        </div>
      </details>
    </Panel>
  );
}

async function ApiTokens({ now }: { now: number }) {
  const tokens = await listApiTokens(database());
  return (
    <Panel title="API tokens" sub="for Grafana and scripts; they read, and change nothing">
      {tokens.length === 0 ? (
        <p className={forms.none}>None yet.</p>
      ) : (
        <div className={forms.scroll}>
          <table className={forms.table}>
            <thead>
              <tr>
                <th scope="col">Label</th>
                <th scope="col">Last used</th>
                <th scope="col">
                  <span className="vh">Act</span>
                </th>
              </tr>
            </thead>
            <tbody>
              {tokens.map((token) => (
                <tr key={token.id} data-over={token.revokedAt !== null}>
                  <td>
                    <b>
                      <bdi>{safeText(token.label)}</bdi>
                    </b>
                    <small>
                      <bdi>{safeText(token.createdBy)}</bdi>
                    </small>
                  </td>
                  <td>
                    {token.lastUsedAt === null ? "never" : <LocalTime at={token.lastUsedAt.getTime()} now={now} />}
                  </td>
                  <td>
                    <div className={forms.acts}>
                      {token.revokedAt !== null ? (
                        <Chip>revoked</Chip>
                      ) : (
                        <form action={endApiToken}>
                          <input type="hidden" name="id" value={token.id} />
                          <ConfirmButton label="Revoke" again="Revoke now" describes={token.label} />
                        </form>
                      )}
                    </div>
                  </td>
                </tr>
              ))}
            </tbody>
          </table>
        </div>
      )}
      <div className={tokens.length === 0 ? forms.body : forms.below}>
        <ApiTokenForm />
      </div>
    </Panel>
  );
}
