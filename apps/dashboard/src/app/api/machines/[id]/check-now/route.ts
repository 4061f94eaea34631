import { createCommand, getCommand, latestCommand } from "@lynceus/db/commands";
import { apiError } from "../../../../../lib/api-error.ts";
import { apiUser } from "../../../../../lib/api-user.ts";
import { commandAnswer } from "../../../../../lib/command-answer.ts";

type Context = { params: Promise<{ id: string }> };

/** Asks the machine to probe now: 202 with the command. A second ask while one is under way gives that one. */
export async function POST(request: Request, { params }: Context): Promise<Response> {
  const user = await apiUser(request, "operate");
  if (user instanceof Response) return user;
  const { id } = await params;
  const command = await createCommand(user.fleet, { machineId: id, createdBy: user.email, now: new Date() });
  if (command === null) return noMachine(id);
  return Response.json(commandAnswer(command), { status: 202, headers: { "cache-control": "no-store" } });
}

/** Progress of the command that `?command=` names, of this machine; of its newest one without. */
export async function GET(request: Request, { params }: Context): Promise<Response> {
  const user = await apiUser(request, "read");
  if (user instanceof Response) return user;
  const { id } = await params;
  const asked = new URL(request.url).searchParams.get("command");
  const command = asked === null ? await latestCommand(user.fleet, id) : await getCommand(user.fleet, asked);
  if (command === null || command.machineId !== id)
    return apiError(404, "NO_COMMAND", "This machine was asked for no such check.");
  return Response.json(commandAnswer(command), { headers: { "cache-control": "no-store" } });
}

const noMachine = (id: string) =>
  apiError(404, "NO_MACHINE", `No machine has the id "${id.slice(0, 64)}", or it was revoked.`);
