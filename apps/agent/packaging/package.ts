/*
 * `npm run package:agent [-- --only windows|linux|macos] [--out DIR]`: the agent's installers into dist/agent. The same
 * commit gives the same bytes, unless they are signed with a time.
 */
import { execFileSync } from "node:child_process";
import { createHash } from "node:crypto";
import { copyFileSync, cpSync, mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { basename, join } from "node:path";
import { parseArgs } from "node:util";
import { billOfMaterials, bundledParts, fetchedPart, noticesOf, type Part } from "./contents.ts";
import { makeDeb } from "./deb.ts";
import { bundle, linuxExecutable, windowsExecutable } from "./executable.ts";
import { type FetchedPackage, fetched, packages } from "./fetched.ts";
import { agent, packaging, root, sourceDate, version } from "./layout.ts";
import { makeMsi } from "./msi.ts";
import { sign, signingFrom } from "./sign.ts";
import { makeTarball } from "./tarball.ts";

const systems = ["windows", "linux", "macos"] as const;
const { values } = parseArgs({
  options: { out: { type: "string" }, only: { type: "string", multiple: true } },
});
for (const only of values.only ?? [])
  if (!(systems as readonly string[]).includes(only))
    throw new Error(`--only "${only}" is not a system; use one of ${systems.join(", ")}`);
const wanted = (system: (typeof systems)[number]) => !values.only || values.only.includes(system);

const out = values.out ?? join(root, "dist/agent");
const date = sourceDate(process.env);
const signing = signingFrom(process.env);
const working = mkdtempSync(join(tmpdir(), "lynceus-package-"));

/** Puts an artefact into its place with its checksum and its bill of materials. */
function deliver(file: string, parts: readonly Part[]): void {
  const name = basename(file);
  const target = join(out, name);
  copyFileSync(file, target);
  const sha256 = createHash("sha256").update(readFileSync(target)).digest("hex");
  writeFileSync(`${target}.sha256`, `${sha256}  ${name}\n`);
  writeFileSync(`${target}.cdx.json`, billOfMaterials(name, sha256, parts, date));
  process.stdout.write(`${sha256}  ${name}\n`);
}

const part = (one: FetchedPackage) => fetchedPart(one, fetched(one));

async function main(): Promise<void> {
  mkdirSync(out, { recursive: true });
  const program = join(working, "program.cjs");
  const bundled = bundledParts(await bundle(program), ["quickjs-wasi"]);
  const notices = (parts: readonly Part[], name: string) => {
    const file = join(working, `notices-${name}.txt`);
    writeFileSync(file, noticesOf(parts));
    return file;
  };

  if (wanted("linux")) {
    const parts = [...bundled, part(packages.nodeLinux), part(packages.koffiLinux)];
    const executable = await linuxExecutable(working, program);
    const text = notices(parts, "linux");
    const deb = makeDeb(working, { executable, notices: text, date });
    deliver(deb, parts);
    const folder = join(working, `lynceus-agent-${version}-linux-x64`);
    mkdirSync(folder);
    copyFileSync(executable, join(folder, "lynceus-agent"));
    copyFileSync(text, join(folder, "third-party-notices.txt"));
    for (const name of ["lynceus-agent.service", "agent.env", "INSTALL.txt"])
      copyFileSync(join(packaging, "linux", name), join(folder, name));
    makeTarball(folder, `${folder}.tar.gz`, date);
    deliver(`${folder}.tar.gz`, parts);
  }

  if (wanted("windows")) {
    // Node's own licence comes with the Linux package.
    const node = { ...part(packages.nodeWindows), licenseText: part(packages.nodeLinux).licenseText };
    const parts = [...bundled, node, part(packages.koffiWindows)];
    const executable = await windowsExecutable(working, program);
    sign(executable, signing, "Lynceus Agent", date);
    const msi = makeMsi(working, { executable, notices: notices(parts, "windows"), date });
    sign(msi, signing, "Lynceus Agent", date);
    deliver(msi, parts);
  }

  if (wanted("macos")) {
    const folder = join(working, `lynceus-agent-${version}-macos-not-run`);
    mkdirSync(folder);
    execFileSync(process.execPath, [join(agent, "build.mjs"), folder], { stdio: "inherit" });
    cpSync(join(packaging, "macos"), folder, { recursive: true });
    copyFileSync(notices(bundled, "macos"), join(folder, "third-party-notices.txt"));
    makeTarball(folder, `${folder}.tar.gz`, date);
    deliver(`${folder}.tar.gz`, bundled);
  }
}

await main().finally(() => rmSync(working, { recursive: true, force: true }));
