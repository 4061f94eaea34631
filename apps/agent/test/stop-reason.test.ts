import { describe, expect, it } from "vitest";
import { stopReason } from "../src/platform/stop-reason.ts";

const says = (state: string) => async () => `${state}\n`;
const linux = { platform: "linux", exists: () => true };

describe("why the agent is stopped", () => {
  it("is the shutdown where systemd says that the system is stopping", async () => {
    expect(await stopReason(says("stopping"), linux)).toBe("shutdown");
  });

  it.each(["running", "degraded", "starting", "maintenance", ""])("is a stop while the system is %j", async (state) => {
    expect(await stopReason(says(state), linux)).toBe("stop");
  });

  it("is a stop where systemd does not answer", async () => {
    const silent = async () => {
      throw new Error("Failed to connect to bus");
    };
    expect(await stopReason(silent, linux)).toBe("stop");
  });

  it.each([
    { platform: "linux", exists: () => false },
    { platform: "darwin", exists: () => true },
    { platform: "win32", exists: () => true },
  ])("is a stop without systemd, and nobody is asked on $platform", async (world) => {
    let asked = 0;
    const run = async () => {
      asked++;
      return "stopping";
    };
    expect(await stopReason(run, world)).toBe("stop");
    expect(asked).toBe(0);
  });
});
