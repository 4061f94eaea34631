import type { Site } from "../fleet/machine.ts";

const proxied: readonly Site[] = [
  { name: "Singapore (simulated)", network: "10.202", proxied: true },
  { name: "Manila (simulated)", network: "10.204", proxied: true },
  { name: "Perth (simulated)", network: "10.205", proxied: true },
  { name: "Zürich (simulated)", network: "10.203", proxied: true },
];
const direct: Site = { name: "Berlin (simulated)", network: "10.201", proxied: false };

/** Of 41 machines 40 are behind the one proxy, at four sites; the others reach Exchange without it, and stay well. */
export const company: readonly Site[] = [...Array.from({ length: 10 }, () => proxied).flat(), direct];
export const storms = proxied.length * 10;
export const proxiedSites = proxied.map(({ name }) => name);
export const subnets = [...proxied, direct].map(({ name, network }) => ({ cidr: `${network}.0.0/16`, site: name }));
