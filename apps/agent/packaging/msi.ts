import { execFileSync } from "node:child_process";
import { createHash } from "node:crypto";
import { copyFileSync, mkdirSync, readFileSync, utimesSync, writeFileSync } from "node:fs";
import { basename, join } from "node:path";
import { packaging, version } from "./layout.ts";
import { settleTimes } from "./msi-times.ts";

/** Names the product through all its versions: an MSI with it replaces every other. */
const upgradeCode = "8e0e2e2c-6d0b-5b53-8f0e-3f3d5b0a9b11";

/** A GUID that a text decides (RFC 9562, version 8). */
function guidOf(text: string): string {
  const hash = createHash("sha256").update(`lynceus-agent ${text}`).digest();
  hash.writeUInt8((hash.readUInt8(6) & 0x0f) | 0x80, 6);
  hash.writeUInt8((hash.readUInt8(8) & 0x3f) | 0x80, 8);
  return hash
    .toString("hex", 0, 16)
    .replace(/^(.{8})(.{4})(.{4})(.{4})(.{12})$/, "$1-$2-$3-$4-$5")
    .toUpperCase();
}

/** wixl makes up the package code, whatever it is told. */
function settlePackageCode(file: string, code: string): void {
  const summary = execFileSync("msiinfo", ["suminfo", file], { encoding: "utf8" });
  const made = /\{[0-9A-Fa-f-]{36}\}/.exec(summary)?.[0];
  const bytes = readFileSync(file);
  const at = made === undefined ? -1 : bytes.indexOf(made, 0, "latin1");
  if (at < 0) throw new Error(`the package code of ${file} cannot be found`);
  bytes.write(`{${code}}`, at, "latin1");
  writeFileSync(file, bytes);
}

export interface MsiParts {
  readonly executable: string;
  readonly notices: string;
  /** Seconds since 1970 that everything in it carries. */
  readonly date: number;
  /** Another version than ours, for the test of an upgrade. */
  readonly version?: string;
}

/** Makes the MSI. @returns its path, in `working`. */
export function makeMsi(working: string, parts: MsiParts): string {
  const number = parts.version ?? version;
  const stage = join(working, `msi-${number}`);
  mkdirSync(stage, { recursive: true });
  const staged = (from: string, name: string) => {
    const to = join(stage, name);
    copyFileSync(from, to);
    utimesSync(to, parts.date, parts.date);
    return to;
  };
  const executable = staged(parts.executable, "lynceus-agent.exe");
  const notices = staged(parts.notices, "third-party-notices.txt");
  staged(join(packaging, "windows/agent.cmd"), "agent.cmd");
  // wixl looks for the files beside their description.
  staged(join(packaging, "windows/lynceus-agent.wxs"), "lynceus-agent.wxs");
  const content = createHash("sha256").update(readFileSync(executable)).update(readFileSync(notices)).digest("hex");
  const file = join(stage, `lynceus-agent-${number}-x64.msi`);
  const defines = {
    Version: number,
    ProductCode: guidOf(`product ${number}`),
    PackageCode: guidOf(`package ${number} ${content}`),
    UpgradeCode: upgradeCode.toUpperCase(),
  };
  const options = {
    cwd: stage,
    stdio: ["ignore", "ignore", "pipe"] as ["ignore", "ignore", "pipe"],
    env: { ...process.env, SOURCE_DATE_EPOCH: String(parts.date), TZ: "UTC" },
  };
  execFileSync(
    "wixl",
    [
      "--arch",
      "x64",
      "-o",
      basename(file),
      ...Object.entries(defines).flatMap(([name, value]) => ["-D", `${name}=${value}`]),
      "lynceus-agent.wxs",
    ],
    options,
  );
  const secure =
    "COLLECTOR_URL;ENROLL_TOKEN;PROXY;SITE;TAGS;ALLOWED_SUFFIXES;ALLOWED_PORTS;KEEP_IDENTITY;WIX_UPGRADE_DETECTED;WIX_DOWNGRADE_DETECTED";
  for (const query of [
    "DELETE FROM `Property` WHERE `Property` = 'SecureCustomProperties'",
    `INSERT INTO \`Property\` (\`Property\`, \`Value\`) VALUES ('SecureCustomProperties', '${secure}')`,
    // Not in a verbose log.
    "INSERT INTO `Property` (`Property`, `Value`) VALUES ('MsiHiddenProperties', 'ENROLL_TOKEN')",
    // What was written is in force, with the data held; then the old version goes; then the data is let go. wixl always
    // lets the old version go first.
    "INSERT INTO `InstallExecuteSequence` (`Action`, `Sequence`) VALUES ('InstallExecute', 6500)",
    "UPDATE `InstallExecuteSequence` SET `Sequence` = 6510 WHERE `Action` = 'RemoveExistingProducts'",
    "UPDATE `InstallExecuteSequence` SET `Sequence` = 6520 WHERE `Action` = 'ReleaseData'",
    // Cleaning up is for the executable to do, before it is removed; wixl puts these where they are too late.
    "UPDATE `InstallExecuteSequence` SET `Sequence` = 2001 WHERE `Action` = 'RemoveData'",
    "UPDATE `InstallExecuteSequence` SET `Sequence` = 2002 WHERE `Action` = 'RemoveDataButIdentity'",
    // What the agent unpacks beside itself; 2: when the component goes.
    "INSERT INTO `RemoveFile` (`FileKey`, `Component_`, `FileName`, `DirProperty`, `InstallMode`) VALUES ('Addon', 'Service', 'koffi.node', 'INSTALLDIR', 2)",
    // The token is no user's to read, in the time until the service has enrolled.
    "CREATE TABLE `MsiLockPermissionsEx` (`MsiLockPermissionsEx` CHAR(72) NOT NULL, `LockObject` CHAR(72) NOT NULL, `Table` CHAR(32) NOT NULL, `SDDLText` CHAR(255) NOT NULL, `Condition` CHAR(255) PRIMARY KEY `MsiLockPermissionsEx`)",
  ])
    execFileSync("msibuild", [file, "-q", query], options);
  const dump = execFileSync("msiinfo", ["export", file, "Registry"], { encoding: "utf8" });
  const row = dump
    .split(/\r?\n/)
    .find((line) => line.includes("\tEnrollToken\t"))
    ?.split("\t")[0];
  if (!row) throw new Error("the MSI has no value for the token");
  execFileSync(
    "msibuild",
    [
      file,
      "-q",
      `INSERT INTO \`MsiLockPermissionsEx\` (\`MsiLockPermissionsEx\`, \`LockObject\`, \`Table\`, \`SDDLText\`) VALUES ('TokenKey', '${row}', 'Registry', 'D:PAI(A;;KA;;;SY)(A;;KA;;;BA)')`,
    ],
    options,
  );
  settlePackageCode(file, defines.PackageCode);
  settleTimes(file, parts.date);
  return file;
}
