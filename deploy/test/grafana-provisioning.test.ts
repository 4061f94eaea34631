import { readdirSync, readFileSync } from "node:fs";
import path from "node:path";
import { describe, expect, it } from "vitest";
import { parse } from "yaml";
import * as z from "zod";
import { root } from "./support/program.ts";

/*
 * What Grafana's documentation of file provisioning says, closed, so that a field it does not name fails: Grafana publishes no
 * schema of these files in its packages. A running Grafana has the last word; there is none here.
 */

/** A value, one of Grafana's environment, or the content of a file: never a secret itself. */
const fromElsewhere = z.string().regex(/^(\$[A-Z_]+|\$\{[A-Z_]+\}|\$__(file|env)\{[^}]+\})$/);

const datasources = z.strictObject({
  apiVersion: z.literal(1),
  prune: z.boolean().optional(),
  deleteDatasources: z.array(z.strictObject({ name: z.string(), orgId: z.number().int() })).optional(),
  datasources: z
    .array(
      z.strictObject({
        name: z.string().min(1),
        type: z.string().min(1),
        uid: z.string().regex(/^[a-zA-Z0-9_-]{1,40}$/),
        access: z.enum(["proxy", "direct"]),
        orgId: z.number().int().optional(),
        url: z.url(),
        user: z.string().optional(),
        database: z.string().optional(),
        basicAuth: z.boolean().optional(),
        basicAuthUser: z.string().optional(),
        withCredentials: z.boolean().optional(),
        isDefault: z.boolean().optional(),
        jsonData: z.record(z.string(), z.union([z.string(), z.number(), z.boolean()])).optional(),
        secureJsonData: z.record(z.string(), fromElsewhere).optional(),
        version: z.number().int().optional(),
        editable: z.boolean().optional(),
      }),
    )
    .min(1),
});

const dashboards = z.strictObject({
  apiVersion: z.literal(1),
  providers: z
    .array(
      z.strictObject({
        name: z.string().min(1),
        orgId: z.number().int().optional(),
        folder: z.string().optional(),
        folderUid: z.string().optional(),
        type: z.literal("file"),
        disableDeletion: z.boolean().optional(),
        updateIntervalSeconds: z.number().int().min(10).optional(),
        allowUiUpdates: z.boolean().optional(),
        options: z.strictObject({
          path: z.string().startsWith("/"),
          foldersFromFilesStructure: z.boolean().optional(),
        }),
      }),
    )
    .min(1),
});

const plugin = path.join(root, "apps/grafana-datasource");
const read = (file: string): unknown => parse(readFileSync(path.join(root, file), "utf8"));

describe("examples of provisioning", () => {
  it.each([
    "apps/grafana-datasource/provisioning/datasources/lynceus.yaml",
    "deploy/grafana/prometheus-datasource.yaml",
  ])("have the shape of Grafana's documentation: %s", (file) => {
    expect(datasources.parse(read(file))).toEqual(read(file));
  });

  it("are complete: each file is looked at here", () => {
    expect(
      (readdirSync(path.join(plugin, "provisioning"), { recursive: true }) as string[])
        .filter((file) => file.endsWith(".yaml"))
        .sort(),
    ).toEqual(["dashboards/lynceus.yaml", "datasources/lynceus.yaml"]);
  });

  it("of dashboards name the folder that the plug-in brings", () => {
    const { id, includes } = JSON.parse(readFileSync(path.join(plugin, "src/plugin.json"), "utf8"));
    const { providers } = dashboards.parse(read("apps/grafana-datasource/provisioning/dashboards/lynceus.yaml"));
    expect(providers[0]?.options.path).toBe(`/var/lib/grafana/plugins/${id}/${path.dirname(includes[0].path)}`);
  });

  it("set what the data source has: its fields, and its secrets", () => {
    const [ours] = datasources.parse(read("apps/grafana-datasource/provisioning/datasources/lynceus.yaml")).datasources;
    const { id, routes } = JSON.parse(readFileSync(path.join(plugin, "src/plugin.json"), "utf8"));
    const types = readFileSync(path.join(plugin, "src/types.ts"), "utf8");
    expect(ours?.type).toBe(id);
    // Grafana's own data proxy reads this one.
    for (const name of Object.keys(ours?.jsonData ?? {}).filter((one) => one !== "tlsAuthWithCACert"))
      expect(types).toMatch(new RegExp(`^ +(readonly )?${name}\\??:`, "m"));
    for (const name of Object.keys(ours?.secureJsonData ?? {}).filter((one) => one !== "tlsCACert"))
      expect(JSON.stringify(routes)).toContain(`.SecureJsonData.${name} `);
  });
});
