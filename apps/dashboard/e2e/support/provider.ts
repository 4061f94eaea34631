import { createServer } from "node:http";
import type { AddressInfo } from "node:net";
import Provider from "oidc-provider";

/** A person as the identity provider knows them. */
export interface Person {
  email: string;
  email_verified: boolean;
  name: string;
  groups: readonly string[];
}

export const client = { id: "lynceus", secret: "a-secret-that-the-provider-gave" };

/** A real OpenID Connect provider on this machine. Its own log-in page takes a name of `people` and any password. */
export async function startProvider(redirectUri: string, people: Map<string, Person>) {
  const server = createServer();
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  const issuer = `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
  const provider = new Provider(issuer, {
    clients: [
      {
        client_id: client.id,
        client_secret: client.secret,
        redirect_uris: [redirectUri],
        response_types: ["code"],
        grant_types: ["authorization_code"],
      },
    ],
    claims: { openid: ["sub"], email: ["email", "email_verified"], profile: ["name"], groups: ["groups"] },
    scopes: ["openid", "email", "profile", "groups"],
    pkce: { required: () => true },
    cookies: { keys: ["a key of this test's provider"] },
    findAccount: (_context, id) => {
      const person = people.get(id);
      return person && { accountId: id, claims: async () => ({ sub: id, ...person }) };
    },
  });
  // What it says about its own settings is no news for a test.
  const warn = console.warn;
  console.warn = () => {};
  server.on("request", provider.callback());
  console.warn = warn;
  return {
    issuer,
    close: async () => {
      server.closeAllConnections();
      await new Promise((resolve) => server.close(resolve));
    },
  };
}
