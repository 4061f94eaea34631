import { execFileSync } from "node:child_process";
import { createHash } from "node:crypto";
import { chmodSync, copyFileSync, mkdirSync, readdirSync, readFileSync, statSync, writeFileSync } from "node:fs";
import { dirname, join, relative } from "node:path";
import { packaging, version } from "./layout.ts";

const filesBelow = (directory: string): string[] =>
  readdirSync(directory, { withFileTypes: true, recursive: true })
    .filter((entry) => entry.isFile())
    .map((entry) => join(entry.parentPath, entry.name))
    .sort();

/** Makes the Debian package of this executable. @returns its path, in `working`. */
export function makeDeb(
  working: string,
  parts: {
    readonly executable: string;
    readonly notices: string;
    readonly date: number;
    readonly version?: string /** For a test: quicker. */;
    readonly uncompressed?: boolean;
  },
): string {
  const number = parts.version ?? version;
  const tree = join(working, `deb-${number}`);
  const place = (from: string, to: string, mode: number) => {
    const target = join(tree, to);
    mkdirSync(dirname(target), { recursive: true, mode: 0o755 });
    copyFileSync(from, target);
    chmodSync(target, mode);
  };
  place(parts.executable, "usr/lib/lynceus-agent/lynceus-agent", 0o755);
  place(join(packaging, "linux/lynceus-agent.service"), "lib/systemd/system/lynceus-agent.service", 0o644);
  place(join(packaging, "linux/agent.env"), "etc/lynceus-agent/agent.env", 0o640);
  place(parts.notices, "usr/share/doc/lynceus-agent/copyright", 0o644);
  const installed = filesBelow(tree);
  const kilobytes = Math.ceil(installed.reduce((sum, file) => sum + statSync(file).size, 0) / 1024);
  for (const script of ["postinst", "prerm", "postrm"])
    place(join(packaging, "debian", script), `DEBIAN/${script}`, 0o755);
  const control = join(tree, "DEBIAN");
  writeFileSync(
    join(control, "control"),
    [
      "Package: lynceus-agent",
      `Version: ${number}`,
      "Architecture: amd64",
      "Maintainer: Lynceus <agent@lynceus.invalid>",
      "Section: net",
      "Priority: optional",
      `Installed-Size: ${kilobytes}`,
      "Depends: libc6 (>= 2.28), libstdc++6, passwd",
      "Description: observes proxy settings and the way to Exchange and Skype for Business",
      " A silent agent that reports to a Lynceus collector which way this machine takes",
      " to Exchange and to Skype for Business, and what answers there.",
      "",
    ].join("\n"),
  );
  writeFileSync(join(control, "conffiles"), "/etc/lynceus-agent/agent.env\n");
  const md5 = (file: string) => createHash("md5").update(readFileSync(file)).digest("hex");
  writeFileSync(
    join(control, "md5sums"),
    installed
      .filter((file) => !file.startsWith(join(tree, "etc")))
      .map((file) => `${md5(file)}  ${relative(tree, file)}\n`)
      .join(""),
  );
  for (const name of ["control", "conffiles", "md5sums"]) chmodSync(join(control, name), 0o644);
  const file = join(working, `lynceus-agent_${number}_amd64.deb`);
  execFileSync(
    "dpkg-deb",
    ["--root-owner-group", ...(parts.uncompressed ? ["-Znone"] : ["-Zxz", "-z1"]), "--build", tree, file],
    {
      stdio: ["ignore", "ignore", "inherit"],
      env: { ...process.env, SOURCE_DATE_EPOCH: String(parts.date) },
    },
  );
  return file;
}
