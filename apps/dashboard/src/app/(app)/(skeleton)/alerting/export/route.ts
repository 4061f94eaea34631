import { currentAlerting } from "@lynceus/db/alerting";
import { alertingToYaml } from "@lynceus/incidents/yaml";
import { apiUser } from "../../../../../lib/api-user.ts";
import { database } from "../../../../../lib/db.ts";

/** The alerting configuration in force as a YAML file, without secrets. */
export async function GET(request: Request): Promise<Response> {
  const user = await apiUser(request, "oversee");
  if (user instanceof Response) return user;
  const { config, version } = await currentAlerting(database());
  return new Response(alertingToYaml(config), {
    headers: {
      "content-type": "application/yaml; charset=utf-8",
      "content-disposition": `attachment; filename="lynceus-alerting-${version}.yaml"`,
      "cache-control": "no-store",
    },
  });
}
