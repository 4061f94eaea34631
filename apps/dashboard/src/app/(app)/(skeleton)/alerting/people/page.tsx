import { onCallAt } from "@lynceus/incidents/on-call";
import { allows } from "@lynceus/protocol/access";
import { formatCount, safeText } from "@lynceus/protocol/present";
import type { Metadata } from "next";
import { AlertingHeader } from "../../../../../components/alerting/alerting-header.tsx";
import { PieceLink, PiecePanel } from "../../../../../components/alerting/piece-panel.tsx";
import { layerText } from "../../../../../components/alerting/words.ts";
import forms from "../../../../../components/forms/forms.module.css";
import layout from "../../../../../components/layout/layout.module.css";
import { StateBox } from "../../../../../components/layout/state-box.tsx";
import { LocalTime } from "../../../../../components/local-time.tsx";
import { Chip } from "../../../../../components/status/chip.tsx";
import { requireRight } from "../../../../../lib/session.ts";
import { alerting } from "../../../../../lib/told.ts";

export const metadata: Metadata = { title: "People and shifts" };

/** Who can be told, and who takes turns? */
export default async function PeoplePage() {
  const { access } = await requireRight("oversee");
  const { config } = await alerting();
  const now = Date.now();
  const may = allows(access, "configure");
  const { people, schedules, receivers } = config;
  const nameOf = (id: string) => people.find((person) => person.id === id)?.name ?? id;
  return (
    <>
      <AlertingHeader title="People and shifts" />
      <h1 className="vh">People and shifts</h1>
      <div className={forms.columns}>
        <PiecePanel
          title="People"
          sub={people.length === 0 ? "none yet" : formatCount(people.length)}
          kind="people"
          add={may ? "Add a person" : null}
        >
          {people.length === 0 ? (
            <div className={layout.body}>
              <StateBox title="No people yet">
                A person has receivers of their own, such as their phone. Only a page to a person has a link that
                acknowledges in their name; escalations and schedules are made of people.
              </StateBox>
            </div>
          ) : (
            <table className={forms.table}>
              <thead>
                <tr>
                  <th scope="col">Person</th>
                  <th scope="col">Told by</th>
                </tr>
              </thead>
              <tbody>
                {people.map((person) => (
                  <tr key={person.id}>
                    <td>
                      <PieceLink kind="people" piece={person} />
                      <small>
                        <bdi>{safeText(person.email ?? "no address: acknowledges by link alone")}</bdi>
                      </small>
                    </td>
                    <td>
                      <bdi>
                        {person.receivers
                          .map((id) => safeText(receivers.find((receiver) => receiver.id === id)?.name ?? id, 60))
                          .join(", ")}
                      </bdi>
                    </td>
                  </tr>
                ))}
              </tbody>
            </table>
          )}
        </PiecePanel>
        <PiecePanel
          title="Schedules"
          sub={schedules.length === 0 ? "none yet" : formatCount(schedules.length)}
          kind="schedules"
          add={may ? "Add a schedule" : null}
        >
          {schedules.length === 0 ? (
            <div className={layout.body}>
              <StateBox title="No schedules yet">
                A schedule says who is on call when: people who take turns by the hour, day or week, at a time of their
                own zone. An escalation names the schedule, and whoever is on call then is told.
              </StateBox>
            </div>
          ) : (
            <table className={forms.table}>
              <thead>
                <tr>
                  <th scope="col">Schedule</th>
                  <th scope="col">On call now</th>
                </tr>
              </thead>
              <tbody>
                {schedules.map((schedule) => {
                  const shift = onCallAt(schedule, now);
                  return (
                    <tr key={schedule.id}>
                      <td>
                        <PieceLink kind="schedules" piece={schedule} />
                        {schedule.layers.map((layer) => (
                          <small key={`${layer.start} ${layer.people}`}>
                            <bdi>{layerText(layer, config)}</bdi> {schedule.zone}
                          </small>
                        ))}
                      </td>
                      <td>
                        {shift.person === null ? (
                          <Chip tone="stale">nobody</Chip>
                        ) : (
                          <bdi>{safeText(nameOf(shift.person))}</bdi>
                        )}
                        <small>
                          until <LocalTime at={shift.to} now={now} />
                        </small>
                      </td>
                    </tr>
                  );
                })}
              </tbody>
            </table>
          )}
        </PiecePanel>
      </div>
    </>
  );
}
