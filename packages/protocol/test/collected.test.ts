import { describe, expect, it } from "vitest";
import { collected, collectedName } from "../src/collected.ts";
import { collectedTexts } from "../src/collected-texts.ts";

describe("the privacy ledger", () => {
  it("has a sentence for each value that an agent may send, and for nothing else", () => {
    for (const { id, fields } of collected()) {
      const names = fields.map(({ path }) => path);
      expect([id, Object.keys(collectedTexts[id]).sort()]).toEqual([id, [...names].sort()]);
      expect(fields.filter(({ text }) => text === "")).toEqual([]);
    }
    expect(collected().map(({ id }) => id)).toEqual(Object.keys(collectedTexts));
  });

  it("tells of the same settings at five places once", () => {
    expect(collectedName("users[].windows.connections[].blob.server")).toBe("blob.server");
    expect(collectedName("users[].windows.connections[].name")).toBe("users[].windows.connections[].name");
  });

  it("says what form a value has", () => {
    const [system] = collected();
    const typeOf = (name: string) => system?.fields.find(({ path }) => path === name)?.type;
    expect(typeOf("hostname")).toBe("text, up to 255");
    expect(typeOf("vpnUp")).toBe("true or false");
    expect(typeOf("os")).toBe("one of windows, macos, linux, other");
  });
});
