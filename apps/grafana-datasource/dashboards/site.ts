import { type Dashboard, DashboardBuilder, DashboardCursorSync } from "@grafana/grafana-foundation-sdk/dashboard";
import { ask, at, bars, chart, events, figures, rows, siblings, theDatasource, variable } from "./parts";

const site = ["$site"];
const target = ["$target"];

/** One site: is it the site, its proxy, its targets, or single machines? */
export const oneSite = (): Dashboard =>
  new DashboardBuilder("Lynceus: one site")
    .uid("lynceus-site")
    .description("One site: its machines, its proxies, what Exchange answers there, and what changed")
    .tags(["lynceus"])
    .time({ from: "now-24h", to: "now" })
    .refresh("1m")
    .tooltip(DashboardCursorSync.Crosshair)
    .withVariable(theDatasource())
    .withVariable(variable("site", "Site", { field: "site", q: "" }, { multi: false }))
    .withVariable(variable("target", "Target", { field: "target", q: "" }, { multi: true }))
    .annotation(events(site))
    .link(siblings())
    .withPanel(
      figures(
        "Machines of $site now",
        "Healthy + failing + stale + cannot tell = machines that report. Follows the live feed.",
        at(0, 0, 24, 5),
        ask("counts", { by: "status", site, live: true }),
      ),
    )
    .withPanel(
      rows(
        "Incidents with machines of $site",
        "Those of the span that is shown, open or over. A number leads to the incident's page.",
        at(0, 5, 24, 6),
        ask("incidents", { open: false, q: "site:$site", live: true }),
        { Incident: 90, State: 120, Urgency: 80, Cause: 360, Failing: 80, Silent: 80, Opened: 170 },
      ),
    )
    .withPanel(
      chart(
        "Failing and at risk, by pattern",
        "Machines of this site by primary finding",
        at(0, 11, 12, 9),
        ask("counts", { by: "pattern", site, live: true }),
      ),
    )
    .withPanel(
      chart(
        "Failing, by proxy",
        "Machines of this site by the configured route of EWS",
        at(12, 11, 12, 9),
        ask("counts", { by: "proxy", site, live: true }),
      ),
    )
    .withPanel(
      chart(
        "Availability, configured route",
        "Share of good answers as the proxy settings lead, without those that prove neither",
        at(0, 20, 12, 8),
        ask("targets", { measure: "availability", by: "target", target, site, via: "configured" }),
      ),
    )
    .withPanel(
      chart(
        "Availability, direct route",
        "The same targets past every proxy, where that is probed: what works here and not beside it points at the proxy. Where the network has no direct way out, all fail here on purpose.",
        at(12, 20, 12, 8),
        ask("targets", { measure: "availability", by: "target", target, site, via: "direct" }),
      ),
    )
    .withPanel(
      chart(
        "Time to answer",
        "Median and 95th percentile of good answers on the configured route",
        at(0, 28, 12, 8),
        ask("targets", { measure: "latency", by: "target", target, site, quantile: ["0.5", "0.95"] }),
      ),
    )
    .withPanel(
      rows(
        "What changed here",
        "Also what a single machine took. A change before a failure is no proof that it is its cause.",
        at(12, 28, 12, 8),
        ask("changes", { minMachines: 1, site }),
        { Kind: 80, Change: 240, Detail: 130, Machines: 80 },
      ),
    )
    .withPanel(
      rows(
        "Machines that are not healthy",
        "Failing, stale and those that cannot be told, newest first. A name leads to the machine's page.",
        at(0, 36, 18, 12),
        ask("machines", { q: "status:failing,stale,cannot-tell site:$site", sort: "-since", limit: 200, live: true }),
        { State: 90, Machine: 160, Site: 110, Since: 170, Cause: 340 },
      ),
    )
    .withPanel(
      bars(
        "Failing, by proxy script",
        "First digits of the script's hash; none: no script",
        at(18, 36, 6, 12),
        ask("values", { field: "pac", q: "status:failing site:$site" }),
      ),
    )
    .build();
