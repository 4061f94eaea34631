import { createHash } from "node:crypto";
import { existsSync, readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import type { Metafile } from "esbuild";
import type { FetchedPackage } from "./fetched.ts";
import { agent, root, version } from "./layout.ts";

/** Something of others that an artefact holds. */
export interface Part {
  readonly name: string;
  readonly version: string;
  readonly license: string;
  readonly integrity: string | null;
  /** Text of its licence, or null where it brings none. */
  readonly licenseText: string | null;
}

const licenseOf = (directory: string): string | null => {
  if (!existsSync(directory)) return null;
  const file = readdirSync(directory)
    .sort()
    .find((name) => /^licen[cs]e(\.\w+)?$/i.test(name));
  return file ? readFileSync(join(directory, file), "utf8") : null;
};

/** Packages whose code the bundle holds, by esbuild's own account. */
export function bundledParts(metafile: Metafile, alsoBundled: readonly string[]): Part[] {
  const lock = JSON.parse(readFileSync(join(root, "package-lock.json"), "utf8")) as {
    packages: Record<string, { version?: string; license?: string; integrity?: string }>;
  };
  const keys = new Set(alsoBundled.map((name) => `node_modules/${name}`));
  for (const input of Object.keys(metafile.inputs)) {
    const path = join(agent, input).slice(root.length + 1);
    const match = /^(.*node_modules\/(?:@[^/]+\/)?[^/]+)\//.exec(path);
    if (match?.[1]) keys.add(match[1]);
  }
  return [...keys]
    .sort()
    .filter((key) => !key.includes("@lynceus/"))
    .map((key) => {
      const { version: found = "0", license = "unknown", integrity = null } = lock.packages[key] ?? {};
      const name = key.slice(key.lastIndexOf("node_modules/") + 13);
      return { name, version: found, license, integrity, licenseText: licenseOf(join(root, key)) };
    });
}

export const fetchedPart = ({ name, version: found, license, integrity }: FetchedPackage, directory: string): Part => ({
  name,
  version: found,
  license,
  integrity,
  licenseText: licenseOf(directory),
});

const rule = `\n${"=".repeat(80)}\n`;

/** Licences of all parts as one text. */
export const noticesOf = (parts: readonly Part[]): string =>
  [
    `Lynceus Agent ${version}, Apache-2.0\n\n${readFileSync(join(root, "LICENSE"), "utf8")}`,
    ...parts.map((part) => `${part.name} ${part.version}, ${part.license}\n\n${part.licenseText ?? ""}`),
  ].join(rule);

/** The CycloneDX bill of materials of one artefact. */
export function billOfMaterials(artefact: string, sha256: string, parts: readonly Part[], date: number): string {
  const purl = (part: Part) => `pkg:npm/${part.name.replace("@", "%40")}@${part.version}`;
  const id = createHash("sha256").update(`${artefact} ${sha256}`).digest("hex");
  const serial = `${id.slice(0, 8)}-${id.slice(8, 12)}-8${id.slice(13, 16)}-a${id.slice(17, 20)}-${id.slice(20, 32)}`;
  return `${JSON.stringify(
    {
      bomFormat: "CycloneDX",
      specVersion: "1.5",
      serialNumber: `urn:uuid:${serial}`,
      version: 1,
      metadata: {
        timestamp: new Date(date * 1000).toISOString(),
        component: {
          type: "application",
          "bom-ref": artefact,
          name: artefact,
          version,
          licenses: [{ license: { id: "Apache-2.0" } }],
          hashes: [{ alg: "SHA-256", content: sha256 }],
        },
      },
      components: parts.map((part) => ({
        type: "library",
        "bom-ref": purl(part),
        name: part.name,
        version: part.version,
        purl: purl(part),
        licenses: [{ license: { id: part.license } }],
        ...(part.integrity?.startsWith("sha512-") && {
          hashes: [{ alg: "SHA-512", content: Buffer.from(part.integrity.slice(7), "base64").toString("hex") }],
        }),
      })),
      dependencies: [{ ref: artefact, dependsOn: parts.map(purl) }],
    },
    null,
    2,
  )}\n`;
}
