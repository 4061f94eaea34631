import { listNotices } from "@lynceus/db/notices";
import { allows } from "@lynceus/protocol/access";
import type { AlertingConfig } from "@lynceus/protocol/alerting";
import { formatCount, safeText } from "@lynceus/protocol/present";
import { Button } from "@mantine/core";
import type { Metadata } from "next";
import Link from "next/link";
import styles from "../../../../components/alerting/alerting.module.css";
import { AlertingHeader } from "../../../../components/alerting/alerting-header.tsx";
import { PieceLink, PiecePanel } from "../../../../components/alerting/piece-panel.tsx";
import { timesText, toldBy } from "../../../../components/alerting/words.ts";
import forms from "../../../../components/forms/forms.module.css";
import layout from "../../../../components/layout/layout.module.css";
import { Panel } from "../../../../components/layout/panel.tsx";
import { StateBox } from "../../../../components/layout/state-box.tsx";
import { LocalTime } from "../../../../components/local-time.tsx";
import { Banner } from "../../../../components/status/banner.tsx";
import { Chip } from "../../../../components/status/chip.tsx";
import { missingOf, secretsSet } from "../../../../lib/alerting/page-data.ts";
import { database } from "../../../../lib/db.ts";
import { requireRight } from "../../../../lib/session.ts";
import { alerting, tellsSomebody } from "../../../../lib/told.ts";
import { moveRoute } from "./actions.ts";

export const metadata: Metadata = { title: "Alerting" };

const dayMs = 86_400_000;

/** Who is told of which incidents, and would it reach them? */
export default async function AlertingPage() {
  const { access } = await requireRight("oversee");
  const now = Date.now();
  const [{ config, version, createdAt, createdBy }, set, dead] = await Promise.all([
    alerting(),
    secretsSet(),
    listNotices(database(), { state: "dead", limit: 50 }),
  ]);
  const may = allows(access, "configure");
  const { receivers, routes } = config;
  const broken = receivers.flatMap((receiver) => {
    const missing = missingOf(receiver, set[receiver.id] ?? []);
    return missing === null ? [] : [{ receiver, missing }];
  });
  const lately = dead.items.filter(({ createdAt: at, kind }) => now - Date.parse(at) < dayMs && kind !== "test").length;
  return (
    <>
      <AlertingHeader title={null} />
      <h1 className="vh">Alerting: routes</h1>
      <div className={styles.banners}>
        {lately === 0 ? null : (
          <Banner
            tone="bad"
            mark="failing"
            action={
              <Link className="link" href="/alerting/undelivered">
                Undelivered
              </Link>
            }
          >
            <b>{lately === 1 ? "One notice was" : `${formatCount(lately)} notices were`} given up</b> in the last 24 h.
          </Banner>
        )}
        {broken.slice(0, 3).map(({ receiver, missing }) => (
          <Banner
            key={receiver.id}
            action={
              <Link className="link" href={`/alerting/receivers/${receiver.id}`}>
                Set it
              </Link>
            }
          >
            <b>
              <bdi>{safeText(receiver.name)}</bdi> cannot be told.
            </b>{" "}
            {safeText(missing, 200)}
          </Banner>
        ))}
      </div>
      {tellsSomebody(config) ? null : <NobodyIsTold config={config} may={may} />}
      <PiecePanel
        title="Routes"
        sub="asked in order: the first that matches decides"
        kind="routes"
        add={may ? "Add a route" : null}
      >
        {routes.length === 0 ? (
          <p className={forms.none}>There is no route: incidents appear in the dashboard, and nobody is told.</p>
        ) : (
          <div className={forms.scroll}>
            <table className={forms.table}>
              <thead>
                <tr>
                  <th scope="col">Route</th>
                  <th scope="col" className={forms.wide}>
                    Matches
                  </th>
                  <th scope="col" className={forms.wide}>
                    Tells
                  </th>
                  {may ? (
                    <th scope="col">
                      <span className="vh">Order</span>
                    </th>
                  ) : null}
                </tr>
              </thead>
              <tbody>
                {routes.map((route, place) => (
                  <tr key={route.id}>
                    <td>
                      <PieceLink kind="routes" piece={route} />
                      <small className={forms.narrow}>
                        <Match text={route.match} />
                      </small>
                      <small className={forms.narrow}>
                        <Told names={toldBy(route, config)} />
                      </small>
                      <small>{safeText(timesText(route), 240)}</small>
                    </td>
                    <td className={`${forms.wide} ${styles.match}`}>
                      <Match text={route.match} />
                      {route.continue ? <small>and the routes after it are asked as well</small> : null}
                    </td>
                    <td className={forms.wide}>
                      <Told names={toldBy(route, config)} />
                    </td>
                    {may ? (
                      <td>
                        <form action={moveRoute} className={styles.order}>
                          <input type="hidden" name="id" value={route.id} />
                          {place === 0 ? null : (
                            <Button
                              type="submit"
                              variant="subtle"
                              name="by"
                              value="-1"
                              aria-label={`Up: ${route.name}`}
                            >
                              Up
                            </Button>
                          )}
                          {place === routes.length - 1 ? null : (
                            <Button
                              type="submit"
                              variant="subtle"
                              name="by"
                              value="1"
                              aria-label={`Down: ${route.name}`}
                            >
                              Down
                            </Button>
                          )}
                        </form>
                      </td>
                    ) : null}
                  </tr>
                ))}
              </tbody>
            </table>
          </div>
        )}
        <p className={`${styles.foot} dim`}>
          {version === 0 ? (
            "Nobody changed it yet: these are the settings of a new installation."
          ) : (
            <>
              <Link className="link" href={`/alerting/versions/${version}`}>
                Version {version}
              </Link>
              , saved by <bdi>{safeText(createdBy ?? "", 80)}</bdi>{" "}
              {createdAt === null ? null : <LocalTime at={createdAt.getTime()} now={now} />}
            </>
          )}
        </p>
      </PiecePanel>
    </>
  );
}

const Match = ({ text }: { text: string }) =>
  text.trim() === "" ? <span className="dim">everything</span> : <bdi className="mono">{safeText(text, 300)}</bdi>;

function Told({ names }: { names: readonly string[] }) {
  if (names.length === 0) return <Chip tone="stale">nobody</Chip>;
  return (
    <span className={styles.told}>
      {names.map((name) => (
        <Chip key={name}>
          <bdi>{safeText(name, 60)}</bdi>
        </Chip>
      ))}
    </span>
  );
}

/** What to do first, in order; what is done is said to be. */
function NobodyIsTold({ config, may }: { config: AlertingConfig; may: boolean }) {
  const { receivers } = config;
  return (
    <Panel label="Nobody is told" className={styles.first ?? ""}>
      <div className={layout.body} style={{ paddingTop: 14 }}>
        <StateBox
          title="Nobody is told of incidents yet"
          action={
            may ? (
              <Button
                component="a"
                variant="filled"
                href={
                  receivers.length === 0
                    ? "/alerting/new/receivers"
                    : `/alerting/routes/${config.routes.at(-1)?.id ?? ""}`
                }
              >
                {receivers.length === 0 ? "Add a receiver" : "Name it in a route"}
              </Button>
            ) : undefined
          }
        >
          They appear under Incidents.{" "}
          {receivers.length === 0
            ? "First a receiver is added, such as a PagerDuty service, a mailbox or a channel, and a test sent to it."
            : `${receivers.length === 1 ? "One receiver is" : `${formatCount(receivers.length)} receivers are`} there, and no route names one.`}{" "}
          Then a route names it, or an escalation of people who take turns; and “Who would be paged” shows who hears of
          what, and when, before anything breaks.
        </StateBox>
      </div>
    </Panel>
  );
}
