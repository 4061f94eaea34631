import { answer, type LynceusClient, type Schemas } from "@lynceus/client/client";
import { quoteValue } from "@lynceus/protocol/filter-completion";
import { isId } from "./parse.ts";
import { Problem, usageProblem } from "./problem.ts";

/**
 * The machine of a name or an id.
 * @throws Problem when there is none, or several have the name
 */
export async function findMachine(
  client: LynceusClient,
  nameOrId: string,
): Promise<Pick<Schemas["MachineRow"], "id" | "hostname">> {
  if (isId(nameOrId))
    return answer(client.GET("/api/v1/machines/{id}", { params: { path: { id: nameOrId.toLowerCase() } } }));
  if (/[*"\\]/.test(nameOrId))
    throw usageProblem(
      `"${nameOrId}" is no name of one machine; lists are made by lynceus machines name:${quoteValue(nameOrId)}`,
    );
  const { items } = await answer(
    client.GET("/api/v1/machines", { params: { query: { q: `name:${quoteValue(nameOrId)}`, limit: 10 } } }),
  );
  const same = items.filter(({ hostname }) => hostname.toLowerCase() === nameOrId.toLowerCase());
  const [found, other] = same;
  if (found && !other) return found;
  if (found)
    throw new Problem(
      `${same.length} machines are named "${nameOrId}"; name one by its id: ${same.map((machine) => machine.id).join(", ")}`,
    );
  const near = await answer(
    client.GET("/api/v1/machines", { params: { query: { q: `name:${quoteValue(`*${nameOrId}*`)}`, limit: 5 } } }),
  );
  throw new Problem(
    `no machine is named "${nameOrId}"${near.items.length > 0 ? `; did you mean ${near.items.map(({ hostname }) => hostname).join(", ")}?` : ""}`,
  );
}
