import { expect, test } from "vitest";
import { timeZone, zoneOfLink } from "../src/platform/time-zone.ts";

test("the time zone is what the system's link names", () => {
  expect(zoneOfLink("/usr/share/zoneinfo/Europe/Berlin")).toBe("Europe/Berlin");
  expect(zoneOfLink("../usr/share/zoneinfo/America/Argentina/Buenos_Aires")).toBe("America/Argentina/Buenos_Aires");
  expect(zoneOfLink("/usr/share/zoneinfo/posix/Etc/GMT+1")).toBe("Etc/GMT+1");
  expect(zoneOfLink("/var/db/timezone/zoneinfo/Asia/Tokyo")).toBe("Asia/Tokyo");
});

test("a link that names no zone is none", () => {
  for (const target of ["/etc/my-zone", "/usr/share/zoneinfo/", "/usr/share/zoneinfo/../../../etc/passwd", ""])
    expect(zoneOfLink(target)).toBeNull();
});

test("TZ counts before the link, as everywhere, and Windows names its own", () => {
  const runtimes = Intl.DateTimeFormat().resolvedOptions().timeZone;
  expect(timeZone("linux", { TZ: "Europe/Berlin" })).toBe(runtimes);
  expect(timeZone("win32", {})).toBe(runtimes);
});

test.runIf(process.platform === "linux")("here it is a zone that everybody knows", () => {
  const zone = timeZone("linux", {});
  expect(() => new Intl.DateTimeFormat("en", { timeZone: zone })).not.toThrow();
});
