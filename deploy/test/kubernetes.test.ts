import { execFileSync } from "node:child_process";
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import path from "node:path";
import { afterAll, describe, expect, it } from "vitest";
import { parseAllDocuments } from "yaml";
import { inDeploy, root } from "./support/program.ts";

interface Manifest {
  apiVersion: string;
  kind: string;
  metadata: { name: string; namespace?: string };
  spec?: Record<string, unknown>;
}
const manifests = parseAllDocuments(readFileSync(inDeploy("kubernetes/lynceus.yaml"), "utf8"), {
  uniqueKeys: true,
}).map((document) => {
  if (document.errors.length > 0) throw document.errors[0];
  return document.toJS() as Manifest;
});
const of = (kind: string, name: string) =>
  manifests.find((one) => one.kind === kind && one.metadata.name === name) as Manifest | undefined;

/** Where Kubernetes' own schemas, as types, have a kind. */
const modules: Readonly<Record<string, string>> = {
  v1: "core/v1",
  "apps/v1": "apps/v1",
  "policy/v1": "policy/v1",
  "networking.k8s.io/v1": "networking/v1",
};

const directory = mkdtempSync(inDeploy("test/.kubernetes-"));
afterAll(() => rmSync(directory, { recursive: true, force: true }));

/** What the compiler says of manifests as literals of their types: a field that there is not, a value of another kind. */
function compile(name: string, some: readonly Manifest[]): string {
  const lines = some.map((manifest, index) => {
    const module = modules[manifest.apiVersion];
    if (!module) throw new Error(`apiVersion ${manifest.apiVersion} is none that is checked`);
    return `export const m${index}: import("kubernetes-types/${module}").${manifest.kind} = ${JSON.stringify(manifest)};`;
  });
  const file = path.join(directory, `${name}.ts`);
  writeFileSync(file, lines.join("\n"));
  const args = [
    "--noEmit",
    "--strict",
    "--skipLibCheck",
    "--ignoreConfig",
    "--module",
    "esnext",
    "--moduleResolution",
    "bundler",
    "--target",
    "es2022",
    file,
  ];
  try {
    execFileSync(process.execPath, [path.join(root, "node_modules/typescript/bin/tsc"), ...args], { encoding: "utf8" });
    return "";
  } catch (error) {
    return (error as { stdout: string }).stdout;
  }
}

describe("the Kubernetes manifests", () => {
  it("have the fields that Kubernetes has, with values of their kind", () => {
    expect(compile("manifests", manifests)).toBe("");
  });

  it("would not pass with a field that it has not", () => {
    const collector = structuredClone(of("PodDisruptionBudget", "collector")) as Manifest;
    (collector.spec as Record<string, unknown>).minAvailble = 1;
    expect(compile("wrong", [collector])).toContain("minAvailble");
  });

  it.each(["collector", "dashboard"])(
    "run %s as nobody, with probes, room for a disruption and a root that is not written",
    (name) => {
      const deployment = of("Deployment", name) as never as {
        spec: {
          replicas: number;
          selector: unknown;
          template: { spec: Record<string, never>; metadata: { labels: unknown } };
        };
      };
      const pod = deployment.spec.template.spec as never as {
        securityContext: unknown;
        containers: Record<string, unknown>[];
      };
      expect(deployment.spec.replicas).toBeGreaterThan(1);
      expect(deployment.spec.selector).toEqual({ matchLabels: deployment.spec.template.metadata.labels });
      expect(pod.securityContext).toMatchObject({ runAsNonRoot: true });
      expect(pod.containers[0]).toMatchObject({
        startupProbe: expect.anything(),
        readinessProbe: expect.anything(),
        livenessProbe: expect.anything(),
        securityContext: {
          readOnlyRootFilesystem: true,
          allowPrivilegeEscalation: false,
          capabilities: { drop: ["ALL"] },
        },
      });
      expect(of("PodDisruptionBudget", name)?.spec).toMatchObject({
        minAvailable: 1,
        selector: deployment.spec.selector,
      });
    },
  );

  it("start the collector with options that it has", () => {
    const deployment = of("Deployment", "collector") as never as {
      spec: { template: { spec: { containers: { args: string[] }[] } } };
    };
    const args = deployment.spec.template.spec.containers[0]?.args.slice(2) ?? [];
    // It gets as far as its database: every option was read before.
    expect(() =>
      execFileSync(
        process.execPath,
        [
          path.join(root, "apps/collector/dist/main.js"),
          ...args.filter((one) => !one.startsWith("--tls-")),
          "--data-dir",
          directory,
        ],
        { env: { DATABASE_URL: "postgresql://nobody@127.0.0.1:9/none" }, encoding: "utf8", stdio: "pipe" },
      ),
    ).toThrow(/cannot connect to postgresql/);
  });
});
