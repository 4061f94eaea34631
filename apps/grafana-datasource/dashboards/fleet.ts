import { type Dashboard, DashboardBuilder, DashboardCursorSync } from "@grafana/grafana-foundation-sdk/dashboard";
import { ask, at, bars, chart, events, figures, rows, siblings, stacked, theDatasource, variable } from "./parts";

const site = ["$site"];
const pattern = ["$pattern"];
const proxy = ["$proxy"];
const target = ["$target"];

/** Are prompts expected now, where, why, and since what? */
export const fleet = (): Dashboard =>
  new DashboardBuilder("Lynceus: fleet")
    .uid("lynceus-fleet")
    .description("Which machines will be prompted for Exchange credentials, why, and since when")
    .tags(["lynceus"])
    .time({ from: "now-24h", to: "now" })
    .refresh("1m")
    .tooltip(DashboardCursorSync.Crosshair)
    .withVariable(theDatasource())
    .withVariable(variable("site", "Site", { field: "site", q: "" }, { multi: true }))
    .withVariable(variable("pattern", "Pattern", { field: "pattern", q: "" }, { multi: true }))
    .withVariable(variable("proxy", "Proxy", { field: "route", q: "" }, { multi: true }))
    .withVariable(variable("target", "Target", { field: "target", q: "" }, { multi: true }))
    .withVariable(variable("tag", "Tag", { field: "tag", q: "" }, { multi: true }))
    .annotation(events(site))
    .link(siblings())
    .withPanel(
      figures(
        "Machines now",
        "Healthy + failing + stale + cannot tell = machines that report. Follows the live feed.",
        at(0, 0, 24, 5),
        ask("counts", { by: "status", site, live: true }),
      ),
    )
    .withPanel(
      rows(
        "Open incidents",
        "One cause is one incident, however many machines it has. Its number leads to its page.",
        at(0, 5, 24, 7),
        ask("incidents", { open: true, q: "site:$site", live: true }),
        { Incident: 90, State: 120, Urgency: 80, Cause: 360, Failing: 80, Silent: 80, Opened: 170 },
      ),
    )
    .withPanel(
      chart(
        "Failing and at risk, by pattern",
        "Machines by primary finding. Each point is a minute that was counted: of its span the one with most failing machines.",
        at(0, 12, 12, 9),
        ask("counts", { by: "pattern", site, pattern, live: true }),
      ),
    )
    .withPanel(
      chart(
        "Failing, by site",
        "The sites with most failing machines. Machines at no site of the map are in the fleet's figures alone.",
        at(12, 12, 12, 9),
        ask("counts", { by: "site", site, live: true }),
      ),
    )
    .withPanel(
      rows(
        "Shared causes now",
        "A value that failing machines have and healthy ones have not. Without healthy machines to compare none is named.",
        at(0, 21, 12, 8),
        ask("causes", { open: true, site, live: true }),
        { Cause: 300, Explains: 80, "Of failing": 80, "Healthy share it": 120, "Do not fit": 90 },
      ),
    )
    .withPanel(
      rows(
        "What changed",
        "The same change on many machines is one row. A change before a failure is no proof that it is its cause.",
        at(12, 21, 12, 8),
        ask("changes", { minMachines: 2, site }),
        { Kind: 80, Change: 240, Detail: 130, Machines: 80 },
      ),
    )
    .withPanel(
      chart(
        "Failing, by proxy",
        "Machines by the configured route of EWS: host and port, direct, or unknown",
        at(0, 29, 12, 8),
        ask("counts", { by: "proxy", site, proxy, live: true }),
      ),
    )
    .withPanel(
      stacked(
        "All that report",
        "Stale: silent longer than three intervals. Cannot tell: the facts do not allow a verdict.",
        at(12, 29, 12, 8),
        ask("counts", { by: "status", site, live: true }),
      ),
    )
    .withPanel(
      chart(
        "Availability of targets",
        "Share of good answers on the configured route, without those that prove neither. A healthy EWS answers 401.",
        at(0, 37, 12, 8),
        ask("targets", { measure: "availability", by: "target", target, site }),
      ),
    )
    .withPanel(
      chart(
        "Time to answer",
        "Median and 95th percentile of good answers on the configured route",
        at(12, 37, 12, 8),
        ask("targets", { measure: "latency", by: "target", target, site, quantile: ["0.5", "0.95"] }),
      ),
    )
    .withPanel(
      rows(
        "Failing machines",
        "Newest first. A name leads to the machine's page.",
        at(0, 45, 18, 12),
        ask("machines", {
          q: "status:failing site:$site primary:$pattern route:$proxy tag:$tag",
          sort: "-since",
          limit: 200,
          live: true,
        }),
        { State: 90, Machine: 160, Site: 120, Since: 170, Cause: 340 },
      ),
    )
    .withPanel(
      bars(
        "Failing, by agent version",
        "Of the machines that the variables choose",
        at(18, 45, 6, 12),
        ask("values", { field: "agent", q: "status:failing site:$site primary:$pattern route:$proxy tag:$tag" }),
      ),
    )
    .build();
