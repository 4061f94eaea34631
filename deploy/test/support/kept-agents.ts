import { readdirSync, readFileSync, writeFileSync } from "node:fs";
import path from "node:path";
import { gunzipSync } from "node:zlib";
import type { Heard } from "./agent-relay.ts";

/** Agents of earlier states of this repository, as they were built, and a session of each (README.md there). */
export const keptAgents = path.join(import.meta.dirname, "../../earlier-agents");

/** What is kept of one: `2026-11-23-19c32ab`. */
export const keptNames = (): string[] =>
  readdirSync(keptAgents, { withFileTypes: true })
    .filter((entry) => entry.isDirectory())
    .map(({ name }) => name)
    .sort();

const bundled = ["main.js", "pac-child.js"];

/** Writes the agent's program into a folder. @returns the file to be run by Node. */
export function unpackAgent(name: string, folder: string): string {
  for (const file of bundled)
    writeFileSync(path.join(folder, file), gunzipSync(readFileSync(path.join(keptAgents, name, `${file}.gz`))));
  writeFileSync(path.join(folder, "package.json"), '{ "type": "module" }\n');
  return path.join(folder, "main.js");
}

/** All that agent and collector said to each other, from the enrolment to the goodbye. */
export const readSession = (name: string): Heard[] =>
  readFileSync(path.join(keptAgents, name, "session.jsonl"), "utf8")
    .trimEnd()
    .split("\n")
    .map((line) => JSON.parse(line) as Heard);
