import { randomUUID } from "node:crypto";
import type { SavedView, SavedViewInput } from "@lynceus/protocol/saved-view";
import { writeAudit } from "./audit.ts";
import type { Database, Reader } from "./client.ts";
import { sqlState } from "./sql-error.ts";
import { toSqlText } from "./sql-text.ts";

/** Most views that a team keeps: they are tabs. */
export const mostViews = 50;

interface Row extends Omit<SavedView, "updatedAt" | "density" | "columns"> {
  id: string;
  updatedAt: Date;
  columns: string[];
}

const toView = ({ id: _, updatedAt, ...row }: Row): SavedView => ({ ...row, updatedAt: updatedAt.toISOString() });

/** The team's views, in order of name. A view is a filter in words: what it lists is only ever what its reader may see. */
export async function listViews(db: Reader): Promise<SavedView[]> {
  const rows = await db.prisma.savedView.findMany({ orderBy: [{ name: "asc" }, { id: "asc" }], take: mostViews });
  return rows.map(toView);
}

/** A view by its slug, or null. */
export async function getView(db: Reader, slug: string): Promise<SavedView | null> {
  const row = await db.prisma.savedView.findUnique({ where: { slug: toSqlText(slug) } });
  return row && toView(row);
}

/** "Behind px1" as an address has it: `behind-px1`; never empty. */
export function slugOf(name: string): string {
  const plain = name
    .normalize("NFKD")
    .replace(/\p{M}/gu, "")
    .toLowerCase()
    .replace(/[^\p{L}\p{N}]+/gu, "-")
    .replace(/^-+|-+$/g, "")
    .slice(0, 60);
  return plain || "view";
}

/** Why a view was not kept; may be shown. */
export class SavedViewError extends Error {
  override readonly name = "SavedViewError";
}

/**
 * Keeps a view for the team, with an entry in the audit log. Throws a SavedViewError when its name, as an address, is
 * taken, or when there are too many.
 */
export async function createView(
  db: Database,
  input: SavedViewInput,
  by: { actor: string; now: Date },
): Promise<SavedView> {
  const slug = slugOf(input.name);
  try {
    return await db.prisma.$transaction(async (prisma) => {
      if ((await prisma.savedView.count()) >= mostViews)
        throw new SavedViewError(`there are ${mostViews} views already; delete one that nobody needs`);
      const row = await prisma.savedView.create({
        data: { id: randomUUID(), slug, ...toRow(input), createdBy: by.actor, updatedAt: by.now },
      });
      await writeAudit({ prisma }, { actor: by.actor, action: "view.create", subject: slug, after: input });
      return toView(row);
    });
  } catch (error) {
    if (sqlState(error) === "23505" || (error as { code?: unknown }).code === "P2002")
      throw new SavedViewError(`a view "${slug}" is there already; choose another name, or change that one`);
    throw error;
  }
}

/** Changes what a view shows; its address stays. Null when there is none. */
export async function changeView(
  db: Database,
  slug: string,
  input: SavedViewInput,
  by: { actor: string; now: Date },
): Promise<SavedView | null> {
  return db.prisma.$transaction(async (prisma) => {
    const before = await prisma.savedView.findUnique({ where: { slug: toSqlText(slug) } });
    if (!before) return null;
    const row = await prisma.savedView.update({
      where: { slug: before.slug },
      data: { ...toRow(input), updatedAt: by.now },
    });
    const { name, q, sort, columns, group } = before;
    await writeAudit(
      { prisma },
      {
        actor: by.actor,
        action: "view.change",
        subject: slug,
        before: { name, q, sort, columns, group },
        after: input,
      },
    );
    return toView(row);
  });
}

/** Removes a view. False when there is none. */
export async function deleteView(db: Database, slug: string, by: { actor: string }): Promise<boolean> {
  return db.prisma.$transaction(async (prisma) => {
    const before = await prisma.savedView.findUnique({ where: { slug: toSqlText(slug) } });
    if (!before) return false;
    await prisma.savedView.delete({ where: { slug: before.slug } });
    const { name, q, sort, columns, group } = before;
    await writeAudit(
      { prisma },
      { actor: by.actor, action: "view.delete", subject: slug, before: { name, q, sort, columns, group } },
    );
    return true;
  });
}

const toRow = ({ name, q, sort, columns, group }: SavedViewInput) => ({
  name: toSqlText(name),
  q: toSqlText(q),
  sort,
  columns: [...columns],
  group,
});
