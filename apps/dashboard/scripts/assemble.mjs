// Completes Next's standalone folder: it leaves the static files out, since some serve them elsewhere.
import { cpSync } from "node:fs";
import { fileURLToPath } from "node:url";

const here = (path) => fileURLToPath(new URL(`../${path}`, import.meta.url));
cpSync(here(".next/static"), here(".next/standalone/apps/dashboard/.next/static"), { recursive: true });
