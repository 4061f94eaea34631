import { writeAudit } from "@lynceus/db/audit";
import { eachMachines, isMachineSort } from "@lynceus/db/machines";
import { countChosen } from "@lynceus/db/machines-admin";
import { csvCell } from "@lynceus/protocol/present";
import type { MachineRow } from "@lynceus/protocol/read-api";
import { type ColumnId, columnInfo, defaultColumns, wholeValue } from "../../../../components/machines/column-info.ts";
import { defaultSort, readColumns, readRequest } from "../../../../components/machines/query.ts";
import { apiError } from "../../../../lib/api-error.ts";
import { apiUser } from "../../../../lib/api-user.ts";
import { selectionSchema } from "../../../../lib/bulk-input.ts";
import { viewerZone } from "../../../../lib/zone.ts";

/** Most exports at once: each holds a connection for as long as its reader takes. */
const mostAtOnce = 3;
let running = 0;

/**
 * Machines as a file: form fields `format` (csv or json), `selection` (JSON), `sort`, `cols`. Streamed, as fast as it is
 * read; noted in the audit log. Cells that a spreadsheet would take for a formula begin with a quote mark.
 */
export async function POST(request: Request): Promise<Response> {
  const user = await apiUser(request, "read");
  if (user instanceof Response) return user;
  const form = await request.formData().catch(() => null);
  const text = (name: string) => String(form?.get(name) ?? "");
  const parsed = selectionSchema.safeParse(parseJson(text("selection")));
  const format = text("format");
  if (!parsed.success || (format !== "csv" && format !== "json"))
    return apiError(400, "BAD_EXPORT", "An export takes format=csv or json and a selection of machines.");
  if (running >= mostAtOnce)
    return apiError(429, "BUSY", `${mostAtOnce} exports are running; try again when one of them is done.`);
  const selection = parsed.data;
  const sort = text("sort");
  const columns: ColumnId[] = readColumns(text("cols")) ?? defaultColumns;
  const request_ =
    selection.kind === "all" ? readRequest({ q: selection.q }, { now: selection.at, zone: await viewerZone() }) : null;
  const { fleet } = user;
  const chosen =
    request_ === null ? ("ids" in selection ? selection.ids : []) : { q: request_.query, terms: request_.terms };
  const machines = await countChosen(fleet, chosen);
  await writeAudit(fleet, {
    actor: user.email,
    action: "machine.export",
    subject: `${machines} machines`,
    after: { format, ...(request_ === null ? {} : { q: request_.query }) },
  });
  const rows = eachMachines(fleet, {
    ...(Array.isArray(chosen) ? { ids: chosen } : { terms: chosen.terms }),
    sort: isMachineSort(sort) ? sort : defaultSort,
  });
  const lines = format === "csv" ? csv(rows, columns) : json(rows);
  const day = new Date().toISOString().slice(0, 10);
  return new Response(streamOf(lines), {
    headers: {
      "content-type": format === "csv" ? "text/csv; charset=utf-8" : "application/json; charset=utf-8",
      "content-disposition": `attachment; filename="lynceus-machines-${day}.${format}"`,
      "cache-control": "no-store",
    },
  });
}

function parseJson(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return null;
  }
}

async function* csv(pages: AsyncIterable<MachineRow[]>, columns: readonly ColumnId[]): AsyncGenerator<string> {
  const line = (cells: readonly string[]) => `${cells.map(csvCell).join(",")}\r\n`;
  // The mark tells a spreadsheet that names are UTF-8.
  yield `\ufeff${line([...columns.map((id) => columnInfo[id].title), "Id"])}`;
  for await (const rows of pages)
    yield rows.map((row) => line([...columns.map((id) => wholeValue(id, row)), row.id])).join("");
}

async function* json(pages: AsyncIterable<MachineRow[]>): AsyncGenerator<string> {
  let before = "[\n";
  for await (const rows of pages) {
    yield before + rows.map((row) => JSON.stringify(row)).join(",\n");
    before = ",\n";
  }
  yield before === ",\n" ? "\n]\n" : "[]\n";
}

/** Pulled by whoever reads: nothing is made ahead. Who goes away ends the reading of the database as well. */
function streamOf(lines: AsyncGenerator<string>): ReadableStream<Uint8Array> {
  const encoder = new TextEncoder();
  running += 1;
  let over = false;
  const end = () => {
    if (!over) running -= 1;
    over = true;
  };
  return new ReadableStream(
    {
      pull: async (controller) => {
        try {
          const { done, value } = await lines.next();
          if (done) {
            end();
            controller.close();
          } else controller.enqueue(encoder.encode(value));
        } catch (error) {
          end();
          controller.error(error);
        }
      },
      cancel: async () => {
        end();
        await lines.return(undefined);
      },
    },
    { highWaterMark: 1 },
  );
}
