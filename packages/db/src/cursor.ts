/** A cursor that is not one of ours: the reader may tell whoever sent it. */
export class CursorError extends Error {
  override readonly name = "CursorError";
}

/** Opaque text of where a page ended. */
export const encodeCursor = (parts: readonly (string | number | null)[]): string =>
  Buffer.from(JSON.stringify(parts)).toString("base64url");

/**
 * The parts of a cursor. Throws a CursorError unless it has exactly `length` of them.
 * They come from outside: each is only ever a parameter of a query.
 */
export function decodeCursor(cursor: string, length: number): (string | number | null)[] {
  let parts: unknown;
  try {
    parts = JSON.parse(Buffer.from(cursor, "base64url").toString("utf8"));
  } catch {
    parts = null;
  }
  const ok =
    Array.isArray(parts) &&
    parts.length === length &&
    parts.every((part) => part === null || typeof part === "string" || typeof part === "number");
  if (!ok) throw new CursorError(`cursor "${cursor.slice(0, 40)}" is not one of this list; start without it`);
  return parts as (string | number | null)[];
}

/** A part that must be a time; throws a CursorError otherwise. */
export function cursorTime(part: string | number | null | undefined): Date {
  const at = new Date(part ?? Number.NaN);
  if (Number.isNaN(at.getTime())) throw new CursorError(`cursor holds no time but "${part}"; start without it`);
  return at;
}

const uuid = /^[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}$/i;
export const isUuid = (text: string): boolean => uuid.test(text);

/** A part that must be a UUID; throws a CursorError otherwise. */
export function cursorId(part: string | number | null | undefined): string {
  if (typeof part !== "string" || !isUuid(part))
    throw new CursorError(`cursor holds no id but "${part}"; start without it`);
  return part;
}

/** Rows of a page: between 1 and `most`. */
export const pageLimit = (limit: number | undefined, most = 500): number =>
  Math.min(Math.max(Math.trunc(limit ?? 100) || 100, 1), most);
