import { safeText } from "@lynceus/protocol/present";
import type { Metadata } from "next";
import { Copyable } from "../../../../../components/forms/copyable.tsx";
import forms from "../../../../../components/forms/forms.module.css";
import { Panel } from "../../../../../components/layout/panel.tsx";
import { SettingsHeader } from "../../../../../components/settings/settings-header.tsx";
import { SignOnForm } from "../../../../../components/settings/sign-on-form.tsx";
import { database } from "../../../../../lib/db.ts";
import { environment } from "../../../../../lib/env.ts";
import { knownNames } from "../../../../../lib/known-names.ts";
import { requireRight } from "../../../../../lib/session.ts";
import { readSignOn } from "../../../../../lib/sign-on/settings.ts";

export const metadata: Metadata = { title: "Sign-on" };

/** How do people sign in with the company's own accounts, and what do their groups give? */
export default async function SignOnPage() {
  const { access, fleet } = await requireRight("configure");
  const stored = await readSignOn(database());
  const known = await knownNames(fleet);
  const value = stored === null ? null : { ...stored, sealedSecret: undefined };
  return (
    <>
      <SettingsHeader access={access} title="Sign-on" />
      <h1 className="vh">Sign-on</h1>
      <div className={forms.columns} data-wide="first">
        <Panel
          title="Identity provider"
          sub={stored === null ? "OpenID Connect; none yet" : safeText(stored.enabled ? stored.name : "switched off")}
        >
          <div className={forms.body}>
            <SignOnForm value={value} known={known} />
          </div>
        </Panel>
        <Panel title="What the provider is told">
          <div className={`${forms.body} ${forms.form}`}>
            <Copyable
              title="Redirect address of the client"
              value={new URL("/api/auth/callback/sso", environment().publicUrl).toString()}
              label="Copy address"
            />
            <p className="dim">
              A confidential client with the authorization code flow and PKCE. It sends the address and the groups of a
              person in the ID token or by its user-info endpoint.
            </p>
            <p className="dim">
              Role and scope are set anew at every sign-on. Who leaves all groups is refused at the next one; disable
              the account under Users to end what is open now.
            </p>
          </div>
        </Panel>
      </div>
    </>
  );
}
