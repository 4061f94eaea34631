import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { bearerClientId, exchangeClientId, parseWwwAuthenticate, schemesOf } from "../src/www-authenticate.ts";

const schemes = (...values: string[]) => schemesOf(parseWwwAuthenticate(values));

describe("parseWwwAuthenticate", () => {
  it("reads a header that repeats, in order", () => {
    expect(schemes('Basic realm="autodiscover.example.org"', "Negotiate", "NTLM")).toEqual([
      "basic",
      "negotiate",
      "ntlm",
    ]);
  });

  it("tells the commas between challenges from those between parameters", () => {
    const line = `Bearer client_id="${exchangeClientId}", trusted_issuers="00000004-0000-0ff1-ce00-000000000000@contoso.com", token_types="app_asserted_user_v1 service_asserted_app_v1", error="invalid_token",Negotiate,NTLM,Basic realm="autodiscover.contoso.com"`;
    const challenges = parseWwwAuthenticate([line]);
    expect(schemesOf(challenges)).toEqual(["bearer", "negotiate", "ntlm", "basic"]);
    expect(bearerClientId(challenges)).toBe(exchangeClientId);
    expect(challenges[3]?.params.get("realm")).toBe("autodiscover.contoso.com");
  });

  it("compares schemes without regard to case or surrounding blanks", () => {
    expect(schemes("negotiate", "NTLM ", "Negotiate", " nTlM")).toEqual(["negotiate", "ntlm"]);
  });

  it("drops the token behind NTLM and Negotiate, padding included", () => {
    const challenges = parseWwwAuthenticate(["NTLM TlRMTVNTUAACAAAA==", "Negotiate YIIabc=, Basic realm=plain"]);
    expect(schemesOf(challenges)).toEqual(["ntlm", "negotiate", "basic"]);
    expect([...challenges[0]!.params, ...challenges[1]!.params]).toEqual([]);
    expect(challenges[2]?.params.get("realm")).toBe("plain");
  });

  it("keeps commas, equals signs and escaped quotes of a quoted string together", () => {
    const [challenge] = parseWwwAuthenticate(['Digest realm="a, NTLM, \\"b\\" c=d", nonce = "x"']);
    expect(challenge?.params.get("realm")).toBe('a, NTLM, "b" c=d');
    expect(challenge?.params.get("nonce")).toBe("x");
    expect(schemes('Digest realm="a, NTLM')).toEqual(["digest"]);
  });

  it("finds no challenge in what is none", () => {
    expect(schemes("", " , ,", 'realm="lonely"', '"quoted"', "(comment)", "=x")).toEqual([]);
    expect(schemes("x".repeat(65))).toEqual([]);
  });

  it("does not give a parameter to the challenge of another header line", () => {
    expect(parseWwwAuthenticate(["Negotiate", 'realm="x"'])[0]?.params.size).toBe(0);
  });

  it("keeps parameters named like object internals as plain text", () => {
    const [challenge] = parseWwwAuthenticate(['Basic __proto__="x"']);
    expect(challenge?.params.get("__proto__")).toBe("x");
  });

  it("finds the schemes of any well-formed list of challenges, whatever the values hold", () => {
    const scheme = fc.constantFrom("Basic", "NTLM", "Negotiate", "Bearer", "Digest");
    const param = fc
      .tuple(fc.constantFrom("realm", "nonce", "client_id"), fc.string({ maxLength: 12 }))
      .map(([name, value]) => `${name}="${value.replace(/[\\"]/g, "\\$&")}"`);
    const challenge = fc.tuple(scheme, fc.array(param, { maxLength: 3 }));
    fc.assert(
      fc.property(fc.array(challenge, { minLength: 1, maxLength: 8 }), (list) => {
        const line = list.map(([name, params]) => [name, params.join(", ")].filter(Boolean).join(" ")).join(", ");
        expect(parseWwwAuthenticate([line]).map((c) => c.scheme)).toEqual(list.map(([name]) => name.toLowerCase()));
      }),
    );
  });

  it("never throws and stays within its bounds, whatever the bytes", () => {
    const piece = fc.oneof(fc.string({ unit: "binary" }), fc.constantFrom(",", '"', "\\", "=", "NTLM", "Basic ", " "));
    fc.assert(
      fc.property(fc.array(fc.array(piece, { maxLength: 40 }).map((parts) => parts.join(""))), (values) => {
        const challenges = parseWwwAuthenticate(values);
        expect(challenges.length).toBeLessThanOrEqual(16);
        for (const { scheme } of challenges) expect(scheme).toMatch(/^[!#$%&'*+.^_`|~0-9a-z-]{1,64}$/);
      }),
    );
  });
});
