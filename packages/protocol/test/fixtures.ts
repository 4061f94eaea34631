import { readdirSync, readFileSync } from "node:fs";

const directory = new URL("../fixtures/v1/", import.meta.url);

/** Names of all fixtures of protocol version 1. */
export const fixtureNames = readdirSync(directory)
  .filter((name) => name.endsWith(".json"))
  .map((name) => name.slice(0, -".json".length));

/** A fixture as the text that crosses the wire. */
export const fixtureText = (name: string): string => readFileSync(new URL(`${name}.json`, directory), "utf8");

/** A fixture as a value; each call gives a new one, which the test may change. */
// biome-ignore lint/suspicious/noExplicitAny: a test changes one field of it to a wrong type
export const fixture = (name: string): any => JSON.parse(fixtureText(name));
