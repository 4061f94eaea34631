import { X509Certificate } from "node:crypto";
import { request } from "node:https";
import { expect, test } from "vitest";
import { issueCertificate, makeAuthority } from "../src/certificates.ts";
import { exchangeServer } from "../src/exchange.ts";

test("a certificate verifies against the authority that issued it and no other", async () => {
  const [authority, stranger] = await Promise.all([makeAuthority(), makeAuthority({ commonName: "Somebody else" })]);
  const { cert, spkiSha256 } = await issueCertificate(authority, { names: ["mail.contoso.com", "127.0.0.1"] });
  const leaf = new X509Certificate(cert);
  expect(leaf.verify(new X509Certificate(authority.pem).publicKey)).toBe(true);
  expect(leaf.verify(new X509Certificate(stranger.pem).publicKey)).toBe(false);
  expect(leaf.checkHost("mail.contoso.com")).toBe("mail.contoso.com");
  expect(leaf.checkIP("127.0.0.1")).toBe("127.0.0.1");
  expect(spkiSha256).toMatch(/^[0-9a-f]{64}$/);
});

test("the fake front end offers Negotiate and NTLM to a caller without credentials", async () => {
  const authority = await makeAuthority();
  const exchange = await exchangeServer({ certificate: await issueCertificate(authority, { names: ["localhost"] }) });
  const headers = await new Promise<Record<string, unknown>>((resolve, reject) => {
    request(
      {
        host: exchange.host,
        port: exchange.port,
        servername: "localhost",
        path: "/EWS/Exchange.asmx",
        ca: authority.pem,
      },
      (response) => resolve({ status: response.statusCode, offer: response.headers["www-authenticate"] }),
    )
      .on("error", reject)
      .end();
  });
  await exchange.close();
  expect(headers).toMatchObject({ status: 401, offer: expect.stringMatching(/^Negotiate, NTLM, Bearer client_id=/) });
});
