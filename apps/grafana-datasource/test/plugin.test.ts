import { readFileSync } from "node:fs";
import path from "node:path";
import { fleet } from "../dashboards/fleet";
import { datasource as ours } from "../dashboards/parts";
import { oneSite } from "../dashboards/site";
import { complete, problemOf } from "../src/query";
import type { LynceusQuery } from "../src/types";
import { variableOf } from "../src/variable-query";

const source = path.join(__dirname, "../src");
const plugin = JSON.parse(readFileSync(path.join(source, "plugin.json"), "utf8"));

/* The rules of Grafana's published schema of plugin.json that concern a data source, and what its catalogue asks beside. */
describe("plugin.json", () => {
  it("has what is required, and nothing that the schema does not know", () => {
    const known =
      "$schema alerting annotations backend category dependencies executable id includes info logs metrics name preload queryOptions routes state streaming tracing type";
    for (const key of Object.keys(plugin)) expect(known.split(" ")).toContain(key);
    expect(plugin.type).toBe("datasource");
    expect(plugin.id).toMatch(/^[0-9a-z]+-([0-9a-z]+-)?(app|panel|datasource)$/);
    expect(["tsdb", "logging", "cloud", "tracing", "profiling", "sql", "enterprise", "iot", "other"]).toContain(
      plugin.category,
    );
    expect(plugin.dependencies.grafanaDependency).toMatch(
      /^(<=|>=|<|>|=|~|\^)?([0-9]+)(\.[0-9x*]+)(\.[0-9x*]+)?(\s(<=|>=|<|=>)?([0-9]+)(\.[0-9x]+)(\.[0-9x]+))?$/,
    );
    for (const key of Object.keys(plugin.queryOptions))
      expect(["maxDataPoints", "minInterval", "cacheTimeout"]).toContain(key);
  });

  it("describes itself: author, words to find it by, logos and pictures that are there", () => {
    const { info } = plugin;
    const known = "author build description keywords links logos screenshots updated version";
    for (const key of Object.keys(info)) expect(known.split(" ")).toContain(key);
    expect(info.keywords.length).toBeGreaterThan(0);
    expect(info.description.length).toBeGreaterThan(20);
    expect([info.version, info.updated]).toEqual(["%VERSION%", "%TODAY%"]);
    for (const logo of [info.logos.small, info.logos.large])
      expect(readFileSync(path.join(source, logo), "utf8")).toMatch(/^<svg /);
    const png = Buffer.from([0x89, 0x50, 0x4e, 0x47]);
    expect(info.screenshots.length).toBeGreaterThanOrEqual(3);
    for (const { name, path: file } of info.screenshots as { name: string; path: string }[]) {
      const picture = readFileSync(path.join(source, file));
      expect([name.length > 0, picture.subarray(0, 4).equals(png)]).toEqual([true, true]);
      // The plug-in is downloaded whole.
      expect(picture.length).toBeLessThan(300_000);
    }
    for (const link of info.links) expect(() => new URL(link.url)).not.toThrow();
  });

  it("adds the token on Grafana's server, to reads of the API alone", () => {
    expect(plugin.routes).toEqual([
      {
        path: "api/v1",
        method: "GET",
        headers: [{ name: "Authorization", content: "Bearer {{ .SecureJsonData.apiToken }}" }],
      },
    ]);
  });

  it("names the dashboards that the build makes", () => {
    expect(plugin.includes.map((one: { path: string }) => one.path)).toEqual([
      "dashboards/fleet.json",
      "dashboards/site.json",
    ]);
  });
});

describe.each([
  ["the fleet's", fleet()],
  ["a site's", oneSite()],
])("%s dashboard", (_name, dashboard) => {
  const variables = dashboard.templating?.list ?? [];
  const panels = (dashboard.panels ?? []) as {
    title?: string;
    description?: string;
    gridPos?: { x: number; y: number; w: number; h: number };
    targets?: LynceusQuery[];
  }[];

  it("asks nothing that cannot be asked, and only by variables that it has", () => {
    const names = variables.map((one) => `$${one.name}`);
    const annotations = dashboard.annotations?.list?.map((one) => one.target as unknown as LynceusQuery) ?? [];
    const queries = [...panels.flatMap((panel) => panel.targets ?? []), ...annotations];
    expect(queries.length).toBeGreaterThan(8);
    for (const query of queries) {
      expect(problemOf(query)).toBeNull();
      const { datasource, ...own } = query;
      expect(complete(own as LynceusQuery)).toEqual(own);
      expect(datasource).toEqual(ours);
      expect(ours.type).toBe(plugin.id);
      for (const [used] of JSON.stringify(own).matchAll(/\$\w+/g)) expect(names).toContain(used);
    }
  });

  it("lists what variables choose from, and an All that restricts nothing", () => {
    for (const one of variables.filter((each) => each.type === "query")) {
      const query = one.query as { field: string };
      expect(variableOf(one.query as never).field).toBe(query.field);
      if (one.multi) expect([one.includeAll, one.allValue]).toEqual([true, "*"]);
    }
  });

  it("has panels that say what they show and do not cover each other", () => {
    const cells = new Set<string>();
    for (const { title, description, gridPos } of panels) {
      expect(title).toBeTruthy();
      expect(description).toBeTruthy();
      const { x, y, w, h } = gridPos ?? { x: 0, y: 0, w: 0, h: 0 };
      expect(x + w).toBeLessThanOrEqual(24);
      for (let i = x; i < x + w; i++)
        for (let j = y; j < y + h; j++) {
          expect(cells.has(`${i} ${j}`)).toBe(false);
          cells.add(`${i} ${j}`);
        }
    }
  });
});
