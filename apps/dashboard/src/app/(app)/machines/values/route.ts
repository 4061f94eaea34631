import { valueCounts } from "@lynceus/db/machines";
import { supportedFields } from "@lynceus/db/machines-filter";
import { type FilterField, type FilterFieldInfo, filterFields } from "@lynceus/protocol/filter";
import { readRequest } from "../../../../components/machines/query.ts";
import { apiUser } from "../../../../lib/api-user.ts";
import { viewerZone } from "../../../../lib/zone.ts";

/** What a field can be completed with under the present filter, with counts: `?field=&q=`. */
export async function GET(request: Request): Promise<Response> {
  const user = await apiUser(request, "read");
  if (user instanceof Response) return user;
  const params = Object.fromEntries(new URL(request.url).searchParams);
  const field = params.field as FilterField;
  if (!supportedFields.includes(field)) return Response.json({ values: [] });
  const { terms } = readRequest(params, { now: Date.now(), zone: await viewerZone() });
  const info: FilterFieldInfo = filterFields[field];
  const counted = (await valueCounts(user.fleet, field, { terms, limit: 50 })).map((entry) => ({
    value: entry.value ?? (info.none ? "none" : "unknown"),
    machines: entry.machines as number | null,
  }));
  const have = new Set(counted.map((entry) => entry.value));
  const rest = (info.values ?? []).filter((value) => !have.has(value)).map((value) => ({ value, machines: null }));
  return Response.json({ values: [...counted, ...rest] }, { headers: { "cache-control": "no-store" } });
}
