import { valueCounts } from "@lynceus/db/machines";
import type { FleetReader } from "@lynceus/db/scope";
import { listSites } from "@lynceus/db/sites";

/** Sites and tags that machines have now: what a scope can be made of. */
export async function knownNames(fleet: FleetReader): Promise<{ sites: string[]; tags: string[] }> {
  const [sites, tags] = await Promise.all([listSites(fleet), valueCounts(fleet, "tag", { limit: 200 })]);
  return { sites, tags: tags.flatMap(({ value }) => value ?? []) };
}
