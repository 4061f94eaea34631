import { mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import path from "node:path";
import { afterEach, beforeEach, expect, test } from "vitest";
import { endLeftover, keepService, startService } from "./service.ts";

let directory: string;
beforeEach(() => {
  directory = mkdtempSync(path.join(tmpdir(), "lynceus-service-"));
  for (const name of ["run", "logs"]) mkdirSync(path.join(directory, name));
});
afterEach(() => rmSync(directory, { recursive: true, force: true }));

const program = (name: string, text: string) => {
  const file = path.join(directory, name);
  writeFileSync(file, text);
  return file;
};
const spec = (entry: string) => ({ name: "one", args: [entry], env: process.env, cwd: directory });
const pidOf = () => Number(readFileSync(path.join(directory, "run", "one.pid"), "utf8").split(" ")[0]);
const alive = (pid: number) => {
  try {
    process.kill(pid, 0);
    return true;
  } catch {
    return false;
  }
};

test("a service is stopped, its pid file removed and its output kept in a log", async () => {
  const entry = program("a.mjs", `console.log("up"); setInterval(() => {}, 1000);`);
  let isUp: () => void = () => {};
  const up = new Promise<void>((resolve) => {
    isUp = resolve;
  });
  const service = startService({ ...spec(entry), onLine: () => isUp() }, directory);
  await up;
  const pid = pidOf();
  await service.stop();
  expect(alive(pid)).toBe(false);
  expect(() => pidOf()).toThrow();
  expect(readFileSync(service.log, "utf8")).toBe("up\n");
});

test("a service that crashes is started again, and given up when it crashes on and on", async () => {
  const entry = program("b.mjs", `console.error("no luck"); process.exit(3);`);
  const said: string[] = [];
  const reason = await new Promise<string>((resolve) => {
    keepService(spec(entry), directory, (line) => said.push(line), resolve, 1);
  });
  expect(said).toEqual([expect.stringContaining("one ended (exit 3: no luck); starting it again")]);
  expect(reason).toContain("one ended 2 times in a minute");
});

test("what a killed supervisor left running is ended, whatever it calls itself, and a stranger with the same number is not", async () => {
  const entry = program("c.mjs", `process.title = "renamed"; console.log("up"); setInterval(() => {}, 1000);`);
  let isUp: () => void = () => {};
  const up = new Promise<void>((resolve) => {
    isUp = resolve;
  });
  const service = startService({ ...spec(entry), onLine: () => isUp() }, directory);
  await up;
  const file = path.join(directory, "run", "one.pid");
  const noted = readFileSync(file, "utf8");
  const pid = pidOf();
  writeFileSync(file, `${pid} 12345`);
  await endLeftover(directory, "one");
  expect(alive(pid)).toBe(true);
  writeFileSync(file, noted);
  await endLeftover(directory, "one");
  expect(alive(pid)).toBe(false);
  await service.stop();
});
