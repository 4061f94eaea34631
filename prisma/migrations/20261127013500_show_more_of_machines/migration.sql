-- AlterTable
ALTER TABLE "machines" ADD COLUMN     "answer_ms" DOUBLE PRECISION;

-- AlterTable
ALTER TABLE "machine_traits" ADD COLUMN     "chosen_by" TEXT,
ADD COLUMN     "failed_targets" TEXT[] DEFAULT ARRAY[]::TEXT[],
ADD COLUMN     "private_address" TEXT,
ADD COLUMN     "winhttp" TEXT,
ADD COLUMN     "zone" TEXT;

-- Cells stay when nobody is in them: they are also where a site's spelling is looked up, revoked machines' too.
INSERT INTO "fleet_cells" ("site", "status", "at_risk", "pattern", "simulated", "machines")
SELECT DISTINCT "site", "status", "at_risk", coalesce("primary_pattern", ''), "simulated", 0
FROM "machines" WHERE "revoked_at" IS NOT NULL AND "site" IS NOT NULL ON CONFLICT DO NOTHING;
