-- AlterTable
ALTER TABLE "fleet_cells" DROP CONSTRAINT "fleet_cells_pkey",
ADD COLUMN     "agent" TEXT NOT NULL DEFAULT '',
ADD CONSTRAINT "fleet_cells_pkey" PRIMARY KEY ("site", "status", "at_risk", "pattern", "simulated", "agent");

-- AlterTable
ALTER TABLE "fleet_cell_changes" ADD COLUMN     "agent" TEXT NOT NULL DEFAULT '';

-- A machine that moves leaves its cell and comes to another: of its agent's version as well.
CREATE OR REPLACE FUNCTION "lynceus_move_cell"() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
  IF TG_OP <> 'INSERT' AND OLD."revoked_at" IS NULL THEN
    INSERT INTO "fleet_cell_changes" ("site", "status", "at_risk", "pattern", "simulated", "agent", "machines")
    VALUES (coalesce(OLD."site", ''), OLD."status", OLD."at_risk", coalesce(OLD."primary_pattern", ''), OLD."simulated",
      OLD."agent_version", -1);
  END IF;
  IF TG_OP <> 'DELETE' AND NEW."revoked_at" IS NULL THEN
    INSERT INTO "fleet_cell_changes" ("site", "status", "at_risk", "pattern", "simulated", "agent", "machines")
    VALUES (coalesce(NEW."site", ''), NEW."status", NEW."at_risk", coalesce(NEW."primary_pattern", ''), NEW."simulated",
      NEW."agent_version", 1);
  END IF;
  RETURN NULL;
END $$;

DROP TRIGGER "machines_cell_move" ON "machines";
CREATE TRIGGER "machines_cell_move"
    AFTER UPDATE OF "site", "status", "at_risk", "primary_pattern", "simulated", "agent_version", "revoked_at"
    ON "machines" FOR EACH ROW WHEN (
      (OLD."site", OLD."status", OLD."at_risk", OLD."primary_pattern", OLD."simulated", OLD."agent_version",
        OLD."revoked_at" IS NULL)
      IS DISTINCT FROM
      (NEW."site", NEW."status", NEW."at_risk", NEW."primary_pattern", NEW."simulated", NEW."agent_version",
        NEW."revoked_at" IS NULL))
    EXECUTE FUNCTION "lynceus_move_cell"();

-- The machines that there are, counted again; a site whose machines are all gone keeps a cell for its spelling.
DELETE FROM "fleet_cell_changes";
UPDATE "fleet_cells" SET "machines" = 0;
INSERT INTO "fleet_cells" ("site", "status", "at_risk", "pattern", "simulated", "agent", "machines")
SELECT coalesce("site", ''), "status", "at_risk", coalesce("primary_pattern", ''), "simulated", "agent_version", count(*)::int
FROM "machines" WHERE "revoked_at" IS NULL GROUP BY 1, 2, 3, 4, 5, 6
ON CONFLICT ("site", "status", "at_risk", "pattern", "simulated", "agent") DO UPDATE SET "machines" = excluded."machines";
