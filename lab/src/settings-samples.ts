import type { EffectiveSettings, SettingsBlob } from "@lynceus/protocol/facts";

/*
 * What domain 4.9 says of each of its samples: what is told of the blob, and what is in force for a user who has it.
 * Written down by hand, so that the reader is not its own judge.
 */

export interface SettingsSample {
  readonly blob: SettingsBlob;
  readonly inForce: EffectiveSettings;
}

function sample(
  counter: number,
  flags: number,
  strings: Partial<Pick<SettingsBlob, "server" | "bypass" | "pacUrl">> = {},
  others: Partial<SettingsBlob> = {},
): SettingsSample {
  const { server = "", bypass = "", pacUrl = "" } = strings;
  const blob: SettingsBlob = {
    ok: true,
    signature: 0x46,
    counter,
    flags,
    direct: (flags & 1) !== 0,
    manual: (flags & 2) !== 0,
    pac: (flags & 4) !== 0,
    autoDetect: (flags & 8) !== 0,
    server,
    bypass,
    pacUrl,
    ...others,
  };
  const inForce: EffectiveSettings = {
    autoDetect: blob.autoDetect,
    pacUrl: blob.pac ? pacUrl : null,
    server: blob.manual ? server : null,
    bypass: blob.manual ? bypass : "",
    source: "wininet-blob",
    dialect: "windows",
  };
  return { blob, inForce };
}

const contoso = { server: "proxy.contoso.com:8080", pacUrl: "http://pac.contoso.com/proxy.pac" } as const;

/** Settings of connections; the last two are damaged. */
export const settingsSamples = {
  F1: sample(10, 1),
  F2: sample(81, 0x0b, { server: "127.0.0.1:80", bypass: "<local>" }),
  F3: sample(3, 7, { server: "192.168.1.1:80", pacUrl: "http://xduotai.com/pRsO3NGR3-.pac" }),
  F4: sample(10, 9),
  F5: sample(30, 1, {}, { signature: 0x3c }),
  D1: sample(2, 1),
  D2: sample(4, 9),
  D3: sample(7, 5, { pacUrl: contoso.pacUrl }),
  D4: sample(12, 3, { server: contoso.server, bypass: "*.contoso.com;10.*;<local>" }),
  D5: sample(20, 3, {
    server: "http=px1.contoso.com:8080;https=px2.contoso.com:8443;socks=px3.contoso.com:1080",
    bypass: "<local>",
  }),
  D6: sample(33, 15, { ...contoso, bypass: "<local>" }),
  D7: sample(41, 1, { server: "oldproxy.contoso.com:3128", bypass: "<local>" }),
  D8: sample(9, 5, { pacUrl: "file://C:/pac/proxy.pac" }),
  D11: sample(1, 0, {}, { ok: false, direct: true, autoDetect: true }),
  D12: sample(1, 3, { server: "a" }, { ok: false }),
} as const;
export type SettingsSampleName = keyof typeof settingsSamples;

/** WinHTTP's settings of the machine. */
export const winHttpSamples = {
  F6: { flags: 1, server: "", bypass: "" },
  F7: { flags: 3, server: "http=192.168.5.45:3128", bypass: "" },
  D9: { flags: 3, server: "proxy.contoso.com:8080", bypass: "<local>;*.contoso.com" },
  D10: { flags: 3, server: "http=px1.contoso.com:8080;https=px2.contoso.com:8443", bypass: "" },
} as const;
