import { createServer } from "node:http";
import type { AddressInfo } from "node:net";

/** Rows and columns that the machines page draws of its 100,000. */
const [drawn, columns] = [43, 14];

const rows = Array.from(
  { length: drawn },
  (_, row) =>
    `<tr><td><input type="checkbox"></td>${Array.from({ length: columns }, (_, column) => `<td>${row}.${column}</td>`).join("")}</tr>`,
).join("");

const html = `<!doctype html><html lang="en"><title>Bare</title><link rel="icon" href="data:,">
<main><input aria-label="Filter"><table><thead><tr><th></th><th><button>Name</button></th></tr></thead><tbody>${rows}</tbody></table></main>
<script>
const body = document.querySelector("tbody");
let active = 0;
document.querySelector("main input").addEventListener("input", (event) => { document.title = event.target.value; });
document.querySelector("button").addEventListener("click", () => body.replaceChildren(...[...body.rows].reverse()));
addEventListener("keydown", (event) => {
  if (event.key === "Escape") event.preventDefault();
  if (event.key !== "j") return;
  body.rows[active].style.background = "";
  body.rows[++active % body.rows.length].style.background = "silver";
});
</script>`;

/** The baseline: as much of a table as the machines page draws, as plain HTML with a few lines of script. */
export async function startBarePage(): Promise<{ base: string; stop(): void }> {
  const server = createServer((_request, response) =>
    response.writeHead(200, { "content-type": "text/html; charset=utf-8" }).end(html),
  );
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  return {
    base: `http://localhost:${(server.address() as AddressInfo).port}`,
    stop: () => {
      server.closeAllConnections();
      server.close();
    },
  };
}
