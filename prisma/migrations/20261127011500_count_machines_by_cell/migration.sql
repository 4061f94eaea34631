-- CreateTable
CREATE TABLE "fleet_cells" (
    "site" TEXT NOT NULL,
    "status" TEXT NOT NULL,
    "at_risk" BOOLEAN NOT NULL,
    "pattern" TEXT NOT NULL,
    "simulated" BOOLEAN NOT NULL,
    "machines" INTEGER NOT NULL,

    CONSTRAINT "fleet_cells_pkey" PRIMARY KEY ("site","status","at_risk","pattern","simulated")
);

-- CreateTable
CREATE TABLE "fleet_cell_changes" (
    "id" BIGSERIAL NOT NULL,
    "site" TEXT NOT NULL,
    "status" TEXT NOT NULL,
    "at_risk" BOOLEAN NOT NULL,
    "pattern" TEXT NOT NULL,
    "simulated" BOOLEAN NOT NULL,
    "machines" INTEGER NOT NULL,

    CONSTRAINT "fleet_cell_changes_pkey" PRIMARY KEY ("id")
);

-- The machines that there are.
INSERT INTO "fleet_cells" ("site", "status", "at_risk", "pattern", "simulated", "machines")
SELECT coalesce("site", ''), "status", "at_risk", coalesce("primary_pattern", ''), "simulated", count(*)::int
FROM "machines" WHERE "revoked_at" IS NULL GROUP BY 1, 2, 3, 4, 5;

-- A machine that moves leaves one cell and comes to another, in the transaction that moves it. Rows are only added: two
-- writers never wait for each other.
CREATE FUNCTION "lynceus_move_cell"() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
  IF TG_OP <> 'INSERT' AND OLD."revoked_at" IS NULL THEN
    INSERT INTO "fleet_cell_changes" ("site", "status", "at_risk", "pattern", "simulated", "machines")
    VALUES (coalesce(OLD."site", ''), OLD."status", OLD."at_risk", coalesce(OLD."primary_pattern", ''), OLD."simulated", -1);
  END IF;
  IF TG_OP <> 'DELETE' AND NEW."revoked_at" IS NULL THEN
    INSERT INTO "fleet_cell_changes" ("site", "status", "at_risk", "pattern", "simulated", "machines")
    VALUES (coalesce(NEW."site", ''), NEW."status", NEW."at_risk", coalesce(NEW."primary_pattern", ''), NEW."simulated", 1);
  END IF;
  RETURN NULL;
END $$;

CREATE TRIGGER "machines_cell_come_or_go" AFTER INSERT OR DELETE ON "machines"
    FOR EACH ROW EXECUTE FUNCTION "lynceus_move_cell"();
CREATE TRIGGER "machines_cell_move" AFTER UPDATE OF "site", "status", "at_risk", "primary_pattern", "simulated", "revoked_at"
    ON "machines" FOR EACH ROW WHEN (
      (OLD."site", OLD."status", OLD."at_risk", OLD."primary_pattern", OLD."simulated", OLD."revoked_at" IS NULL)
      IS DISTINCT FROM
      (NEW."site", NEW."status", NEW."at_risk", NEW."primary_pattern", NEW."simulated", NEW."revoked_at" IS NULL))
    EXECUTE FUNCTION "lynceus_move_cell"();
