import { environmentSettings } from "@lynceus/proxy-settings/environment";
import { type ProxySource, self } from "./source.ts";

/** `http_proxy` and its kin, of the agent's own process. */
export const readEnvironment: ProxySource = async ({ environment }) => {
  const inForce = environmentSettings(environment);
  return {
    name: "environment",
    outcome: inForce ? "read" : "absent",
    users: inForce ? [{ user: self, inForce, legacy: null }] : [],
  };
};
