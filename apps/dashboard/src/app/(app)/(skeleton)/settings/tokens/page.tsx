import { type ApiTokenRow, listApiTokens } from "@lynceus/db/api-tokens";
import { scopeText } from "@lynceus/protocol/access";
import { formatCount, safeText } from "@lynceus/protocol/present";
import type { Metadata } from "next";
import { ConfirmButton } from "../../../../../components/confirm-button.tsx";
import forms from "../../../../../components/forms/forms.module.css";
import { Panel } from "../../../../../components/layout/panel.tsx";
import { LocalTime } from "../../../../../components/local-time.tsx";
import { SettingsHeader } from "../../../../../components/settings/settings-header.tsx";
import { TokenForm } from "../../../../../components/settings/token-form.tsx";
import { Chip } from "../../../../../components/status/chip.tsx";
import { database } from "../../../../../lib/db.ts";
import { knownNames } from "../../../../../lib/known-names.ts";
import { requireRight } from "../../../../../lib/session.ts";
import { endApiToken } from "./actions.ts";

export const metadata: Metadata = { title: "API tokens" };

/** Which programs read or act, with what, and until when? */
export default async function TokensPage() {
  const { access, fleet } = await requireRight("configure");
  const now = Date.now();
  const [tokens, known] = await Promise.all([listApiTokens(database()), knownNames(fleet)]);
  return (
    <>
      <SettingsHeader access={access} title="API tokens" />
      <h1 className="vh">API tokens</h1>
      <div className={forms.columns} data-wide="first">
        <Panel title="Tokens" sub={formatCount(tokens.length)}>
          {tokens.length === 0 ? (
            <p className={forms.none}>None yet. Grafana, scripts and the wallboard each get one of their own.</p>
          ) : (
            <div className={forms.scroll}>
              <table className={forms.table}>
                <thead>
                  <tr>
                    <th scope="col">Token</th>
                    <th scope="col">May, and sees</th>
                    <th scope="col" className={forms.wide}>
                      Last used
                    </th>
                    <th scope="col">
                      <span className="vh">Act</span>
                    </th>
                  </tr>
                </thead>
                <tbody>
                  {tokens.map((token) => (
                    <Token key={token.id} token={token} now={now} />
                  ))}
                </tbody>
              </table>
            </div>
          )}
        </Panel>
        <Panel title="Create a token">
          <div className={forms.body}>
            <TokenForm known={known} />
          </div>
        </Panel>
      </div>
    </>
  );
}

function Token({ token, now }: { token: ApiTokenRow; now: number }) {
  const expired = token.expiresAt !== null && token.expiresAt.getTime() <= now;
  return (
    <tr data-over={token.revokedAt !== null || expired}>
      <td>
        <b>
          <bdi>{safeText(token.label)}</bdi>
        </b>
        <small>
          by <bdi>{safeText(token.createdBy, 60)}</bdi>, <LocalTime at={token.createdAt.getTime()} now={now} />
        </small>
      </td>
      <td>
        {token.scopes.join(", ")}
        <small>
          <bdi>{safeText(scopeText(token.scope), 80)}</bdi>
        </small>
      </td>
      <td className={`${forms.wide} nowrap`}>
        {token.lastUsedAt === null ? "never" : <LocalTime at={token.lastUsedAt.getTime()} now={now} />}
        <small>
          {token.expiresAt === null ? (
            "does not end"
          ) : (
            <>
              {expired ? "ended" : "ends"} <LocalTime at={token.expiresAt.getTime()} now={now} />
            </>
          )}
        </small>
      </td>
      <td>
        <div className={forms.acts}>
          {token.revokedAt !== null ? (
            <Chip>revoked</Chip>
          ) : expired ? (
            <Chip>ended</Chip>
          ) : (
            <form action={endApiToken}>
              <input type="hidden" name="id" value={token.id} />
              <ConfirmButton label="Revoke" again="Revoke now" describes={token.label} />
            </form>
          )}
        </div>
      </td>
    </tr>
  );
}
