// Validates docker-compose.yml and its Dockerfiles where no container engine runs: `docker-compose config` (or the
// `docker compose` plug-in) reads the file with example values, and the Dockerfiles must keep what we promise of them.
import { spawnSync } from "node:child_process";
import { existsSync, readFileSync } from "node:fs";
import path from "node:path";
import { fail, root } from "./prepare.mjs";

const exampleFile = path.join(root, "docker/example.env");
const example = Object.fromEntries(
  readFileSync(exampleFile, "utf8")
    .split("\n")
    .filter((line) => /^[A-Z_]+=/.test(line))
    .map((line) => [line.slice(0, line.indexOf("=")), line.slice(line.indexOf("=") + 1) || "example"]),
);

const compose = readFileSync(path.join(root, "docker-compose.yml"), "utf8");
for (const [, name] of compose.matchAll(/\$\{([A-Z_]+)/g)) {
  if (!(name in example)) fail(`docker-compose.yml uses ${name}, which docker/example.env does not explain`, 1);
}

const composers = [["docker-compose"], ["docker", "compose"]];
const available = composers.find(([command, ...prefix]) => spawnSync(command, [...prefix, "version"]).status === 0);
if (!available)
  fail("neither docker-compose nor docker compose is installed; on Debian: apt-get install docker-compose", 1);
const [command, ...prefix] = available;
const config = spawnSync(command, [...prefix, "-f", path.join(root, "docker-compose.yml"), "config"], {
  cwd: root,
  env: { ...process.env, ...example },
  encoding: "utf8",
});
if (config.status !== 0) fail(`docker-compose.yml is not valid: ${config.stderr.trim()}`, 1);

const dockerfiles = [...compose.matchAll(/dockerfile: (\S+)/g)].map((match) => match[1]);
for (const file of dockerfiles) {
  if (!existsSync(path.join(root, file))) fail(`docker-compose.yml names ${file}, which does not exist`, 1);
  const text = readFileSync(path.join(root, file), "utf8");
  const final = text.slice(text.lastIndexOf("\nFROM "));
  if ((text.match(/^FROM /gm) ?? []).length < 2) fail(`${file} is not multi-stage`, 1);
  if (!/^USER (?!root|0)\S+/m.test(final)) fail(`${file} runs as root in its last stage`, 1);
  if (!/^HEALTHCHECK /m.test(final)) fail(`${file} has no HEALTHCHECK`, 1);
}
process.stdout.write(`docker-compose.yml: ${command} config accepts it; ${dockerfiles.length} Dockerfiles checked\n`);
