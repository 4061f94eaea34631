import { effectiveSettingsSchema } from "@lynceus/protocol/facts";
import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { environmentSettings } from "../src/environment.ts";
import { parseGsettings, parseGVariant } from "../src/gsettings.ts";
import { resolveRoute } from "../src/route.ts";
import { parseScutilProxy, parseScutilValues } from "../src/scutil.ts";

const none = { autoDetect: null, pac: null };
const routeText = (found: ReturnType<typeof environmentSettings>, url = "https://mail.example.org/") => {
  if (!found) return "no settings";
  const { route } = resolveRoute(url, found.settings, none);
  return route.proxy
    ? `${route.proxy.scheme} ${route.proxy.host}:${route.proxy.port} by ${route.by}`
    : `direct by ${route.by}`;
};

describe("environment variables", () => {
  test.each([
    [{}, "no settings"],
    [{ no_proxy: "example.org" }, "no settings"],
    [{ https_proxy: "http://px:3128" }, "http px:3128 by environment"],
    [{ HTTPS_PROXY: "http://px:3128" }, "http px:3128 by environment"],
    [{ https_proxy: "http://low:1", HTTPS_PROXY: "http://up:2" }, "http low:1 by environment"],
    [{ https_proxy: "", HTTPS_PROXY: "http://up:2" }, "no settings"],
    [{ http_proxy: "http://px:3128" }, "direct by environment"],
    [{ all_proxy: "socks5://px" }, "socks5 px:1080 by environment"],
    [{ all_proxy: "http://all:1", https_proxy: "px:2" }, "http px:2 by environment"],
    [{ https_proxy: "https://px" }, "https px:443 by environment"],
    [{ https_proxy: "http://user:secret@px:3128/" }, "http px:3128 by environment"],
    [{ https_proxy: "http://px:3128", no_proxy: "example.org" }, "direct by bypass"],
    [{ https_proxy: "http://px:3128", NO_PROXY: ".example.org" }, "direct by bypass"],
    [{ https_proxy: "http://px:3128", no_proxy: "example.org:8443" }, "http px:3128 by environment"],
    [{ https_proxy: "http://px:3128", no_proxy: "*" }, "direct by bypass"],
    [{ https_proxy: "nonsense:port" }, "direct by environment"],
    [{ https_proxy: "px:1;http=evil:2" }, "http px:1 by environment"],
  ])("%j: %s", (env, expected) => {
    expect(routeText(environmentSettings(env))).toBe(expected);
  });
  test("a password does not leave the machine", () => {
    expect(JSON.stringify(environmentSettings({ https_proxy: "http://user:secret@px:3128" })?.settings)).not.toContain(
      "secret",
    );
  });
});

const scutil = `<dictionary> {
  ExceptionsList : <array> {
    0 : *.local
    1 : 169.254/16
    2 : contoso.com
  }
  ExcludeSimpleHostnames : 1
  FTPPassive : 1
  HTTPEnable : 1
  HTTPPort : 3128
  HTTPProxy : px1.contoso.com
  HTTPSEnable : 1
  HTTPSPort : 8443
  HTTPSProxy : px2.contoso.com
  ProxyAutoConfigEnable : 0
  ProxyAutoConfigURLString : http://pac.contoso.com/proxy.pac
  ProxyAutoDiscoveryEnable : 1
  SOCKSEnable : 0
  SOCKSPort : 1080
  SOCKSProxy : px3.contoso.com
  __SCOPED__ : <dictionary> {
    en0 : <dictionary> {
      HTTPSEnable : 1
      HTTPSProxy : scoped.contoso.com
      ExceptionsList : <array> {
        0 : everything
      }
    }
  }
}
`;

describe("scutil --proxy", () => {
  test("gives what is enabled, not what is remembered nor what a scoped interface has", () => {
    expect(parseScutilProxy(scutil)).toEqual({
      settings: {
        autoDetect: true,
        pacUrl: null,
        server: "http=px1.contoso.com:3128;https=px2.contoso.com:8443",
        bypass: "*.local,169.254/16,contoso.com,<local>",
        source: "macos",
        dialect: "unix",
      },
      scriptUrl: null,
    });
  });
  test("its exceptions bypass the proxy", () => {
    const found = parseScutilProxy(scutil);
    for (const host of ["printer.local", "169.254.1.1", "mail.contoso.com", "mail"])
      expect(routeText({ ...found, settings: { ...found.settings, autoDetect: false } }, `https://${host}/`)).toBe(
        "direct by bypass",
      );
  });
  test("a script and a SOCKS proxy that are on count", () => {
    const on = scutil
      .replace("ProxyAutoConfigEnable : 0", "ProxyAutoConfigEnable : 1")
      .replace("SOCKSEnable : 0", "SOCKSEnable : 1");
    const { settings } = parseScutilProxy(on);
    expect(settings.pacUrl).toBe("http://pac.contoso.com/proxy.pac");
    expect(settings.server).toContain("socks=socks5://px3.contoso.com:1080");
  });
  test("nothing set is direct", () => {
    expect(parseScutilProxy("<dictionary> {\n}\n").settings).toMatchObject({
      autoDetect: false,
      pacUrl: null,
      server: null,
    });
  });
  test("odd shapes are passed over", () => {
    expect(parseScutilValues("}\n}\nkey : value\n<dictionary> {\n a : 1\n __proto__ : 2\n : 3\n}").get("a")).toBe("1");
    expect(parseScutilValues("<array> {\n0 : x\n}").size).toBe(0);
  });
});

const gsettings = (lines: Record<string, string>) =>
  Object.entries(lines)
    .map(([key, value]) => {
      const [schema, name] = key.split("/");
      return `org.gnome.system.proxy${schema ? `.${schema}` : ""} ${name} ${value}`;
    })
    .join("\n");

describe("GNOME's settings", () => {
  const manual = {
    "/autoconfig-url": "''",
    "/ignore-hosts": "['localhost', '127.0.0.0/8', '::1', 'example.org']",
    "/mode": "'manual'",
    "http/host": "'px1'",
    "http/port": "8080",
    "https/host": "'px2'",
    "https/port": "8443",
    "socks/host": "''",
    "socks/port": "0",
  };
  test("manual gives a proxy per scheme and the hosts that go direct", () => {
    expect(parseGsettings(gsettings(manual))?.settings).toEqual({
      autoDetect: false,
      pacUrl: null,
      server: "http=px1:8080;https=px2:8443",
      bypass: "localhost,127.0.0.0/8,::1,example.org",
      source: "gnome",
      dialect: "unix",
    });
    expect(routeText(parseGsettings(gsettings(manual)))).toBe("direct by bypass");
    expect(routeText(parseGsettings(gsettings(manual)), "https://mail.contoso.com/")).toBe("http px2:8443 by manual");
  });
  test("auto with an address is a script, without one it is detection", () => {
    const script = { ...manual, "/mode": "'auto'", "/autoconfig-url": "'http://pac/p.pac'" };
    expect(parseGsettings(gsettings(script))?.settings).toMatchObject({
      autoDetect: false,
      pacUrl: "http://pac/p.pac",
      server: null,
    });
    expect(parseGsettings(gsettings({ ...manual, "/mode": "'auto'" }))?.settings).toMatchObject({
      autoDetect: true,
      pacUrl: null,
    });
  });
  test("none is direct although hosts are remembered", () => {
    expect(parseGsettings(gsettings({ ...manual, "/mode": "'none'" }))?.settings).toMatchObject({
      autoDetect: false,
      pacUrl: null,
      server: null,
    });
  });
  test("a text that is not GNOME's is none of it", () => {
    expect(parseGsettings("No schemas installed\n")).toBeNull();
  });
  test.each([
    ["'it\\'s'", "it's"],
    ['"x"', "x"],
    ["8080", 8080],
    ["uint32 5", 5],
    ["true", true],
    ["@as []", []],
    ["['a', 'b']", ["a", "b"]],
    ["['a' 'b']", null],
    ["['a", null],
    ["'a", null],
    ["(1, 2)", null],
    ["['a'] x", null],
  ])("the value %s is read as %j", (text, expected) => {
    expect(parseGVariant(text)).toEqual(expected);
  });
});

describe("hostile output", () => {
  test("any text and any mutation is read, and its settings fit the wire", () => {
    const fits = (settings: unknown) => expect(effectiveSettingsSchema.safeParse(settings).success).toBe(true);
    const sample = fc.constantFrom(
      scutil,
      gsettings({ "/mode": "'manual'", "https/host": "'px'", "/ignore-hosts": "['a']" }),
    );
    const mutated = fc.tuple(sample, fc.nat(), fc.string({ maxLength: 5 })).map(([text, at, add]) => {
      const position = at % text.length;
      return text.slice(0, position) + add + text.slice(position + add.length);
    });
    fc.assert(
      fc.property(fc.oneof(fc.string(), mutated), (text) => {
        fits(parseScutilProxy(text).settings);
        const gnome = parseGsettings(text);
        if (gnome) fits(gnome.settings);
        const env = environmentSettings({ https_proxy: text, no_proxy: text });
        if (env) fits(env.settings);
      }),
      { numRuns: 1000 },
    );
  });
  test("a megabyte of brackets, quotes and line ends is read", () => {
    for (const text of [
      "<dictionary> {\n".repeat(60_000),
      "a : <array> {\n".repeat(60_000),
      "\n".repeat(1e6),
      "}".repeat(1e6),
    ])
      expect(parseScutilProxy(text).settings.server).toBeNull();
    for (const text of ["'".repeat(1e6), "[".repeat(1e6), `['${"\\".repeat(1e6)}`, "['a',".repeat(2e5)])
      expect(parseGVariant(text)).toBeNull();
  });
});
