/** As much of the provider as the tests use: it ships no types. */
declare module "oidc-provider" {
  import type { RequestListener } from "node:http";

  export default class Provider {
    constructor(issuer: string, configuration: Record<string, unknown> & { findAccount: FindAccount });
    callback(): RequestListener;
  }
  type FindAccount = (
    context: unknown,
    id: string,
  ) => { accountId: string; claims: () => Promise<Record<string, unknown>> } | undefined;
}
