import { readRetention } from "@lynceus/db/retention";
import { collected } from "@lynceus/protocol/collected";
import { formatCount } from "@lynceus/protocol/present";
import type { Metadata } from "next";
import Link from "next/link";
import forms from "../../../../components/forms/forms.module.css";
import { Panel } from "../../../../components/layout/panel.tsx";
import { SettingsHeader } from "../../../../components/settings/settings-header.tsx";
import { database } from "../../../../lib/db.ts";
import { requireRight } from "../../../../lib/session.ts";

export const metadata: Metadata = { title: "Privacy" };

/** Whatever the ledger says is read from the schemas once: they do not change while the dashboard runs. */
const groups = collected();

/** Exactly what agents send: each value, in the words of who is not of the trade, and in those of the protocol. */
export default async function PrivacyPage() {
  const { access } = await requireRight("read");
  const { days } = await readRetention(database());
  const count = groups.reduce((sum, group) => sum + group.fields.length, 0);
  return (
    <>
      <SettingsHeader access={access} title="Privacy" />
      <h1 className="vh">Privacy</h1>
      <div className={forms.columns} data-wide="second">
        <Panel title="In short">
          <dl className={forms.facts}>
            <dt>Sent</dt>
            <dd>{formatCount(count)} values, all of them listed here</dd>
            <dt>Not sent</dt>
            <dd>
              names and passwords of users, mail, calendar, contacts, files; addresses that somebody visited; the text
              of proxy scripts and of answers
            </dd>
            <dt>Credentials</dt>
            <dd>none are sent, no challenge is answered, no store is read</dd>
            <dt>Removed before</dt>
            <dd>user names, passwords and queries in addresses; values of cookies</dd>
            <dt>Tells of a person</dt>
            <dd>the computer's name may; that it was on, and at which site</dd>
            <dt>Kept</dt>
            <dd>
              observations {formatCount(days.observationDays)} days;{" "}
              <Link className="link" href="/settings/retention">
                all times
              </Link>
            </dd>
            <dt>Of one machine</dt>
            <dd>its page shows each observation as it was sent</dd>
          </dl>
        </Panel>
        <div className={forms.column}>
          {groups.map((group) => (
            <Panel key={group.id} title={group.title} sub={`${formatCount(group.fields.length)} values`}>
              <div className={forms.scroll}>
                <table className={forms.table}>
                  <thead>
                    <tr>
                      <th scope="col">What</th>
                      <th scope="col">Name in the protocol</th>
                      <th scope="col" className={forms.wide}>
                        Form
                      </th>
                    </tr>
                  </thead>
                  <tbody>
                    {group.fields.map((field) => (
                      <tr key={field.path}>
                        <td>{field.text}</td>
                        <td className={`mono ${forms.break}`}>{field.path}</td>
                        <td className={forms.wide}>{field.type}</td>
                      </tr>
                    ))}
                  </tbody>
                </table>
              </div>
              {group.id === "settings" ? (
                <p className={forms.none}>
                  What begins with blob stands at five places: each signed-in user's settings, the older copy of them,
                  those of VPN and dial-up connections, SYSTEM's own, and the computer's.
                </p>
              ) : null}
            </Panel>
          ))}
        </div>
      </div>
    </>
  );
}
