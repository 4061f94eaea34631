import { readFileSync } from "node:fs";

/**
 * The text of a file that the agent keeps; null where there is none.
 * @param name how messages call it; its path by default.
 * @throws Error with one line when it is there but cannot be read.
 */
export function readStored(path: string, name = path): string | null {
  try {
    return readFileSync(path, "utf8");
  } catch (error) {
    const { code } = error as NodeJS.ErrnoException;
    if (code === "ENOENT") return null;
    throw new Error(`${name} cannot be read: ${code}`);
  }
}
