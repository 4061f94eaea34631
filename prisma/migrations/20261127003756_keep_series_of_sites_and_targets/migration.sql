-- AlterTable
ALTER TABLE "fleet_samples" ADD COLUMN     "routes" JSONB NOT NULL DEFAULT '{}';

-- CreateTable
CREATE TABLE "fleet_hours" (
    "at" TIMESTAMPTZ(3) NOT NULL,
    "site" TEXT NOT NULL DEFAULT '',
    "sampled_at" TIMESTAMPTZ(3) NOT NULL,
    "healthy" INTEGER NOT NULL,
    "failing" INTEGER NOT NULL,
    "stale" INTEGER NOT NULL,
    "cannot_tell" INTEGER NOT NULL,
    "signed_off" INTEGER NOT NULL,
    "at_risk" INTEGER NOT NULL,
    "patterns" JSONB NOT NULL,
    "routes" JSONB NOT NULL DEFAULT '{}',

    CONSTRAINT "fleet_hours_pkey" PRIMARY KEY ("site","at")
);

-- CreateTable
CREATE TABLE "target_samples" (
    "site" TEXT NOT NULL,
    "target" TEXT NOT NULL,
    "via" TEXT NOT NULL,
    "simulated" BOOLEAN NOT NULL,
    "at" TIMESTAMPTZ(3) NOT NULL,
    "ok" INTEGER NOT NULL,
    "bad" INTEGER NOT NULL,
    "undecided" INTEGER NOT NULL,
    "latency" JSONB NOT NULL,

    CONSTRAINT "target_samples_pkey" PRIMARY KEY ("site","target","via","at","simulated")
);

-- CreateTable
CREATE TABLE "target_hours" (
    "site" TEXT NOT NULL,
    "target" TEXT NOT NULL,
    "via" TEXT NOT NULL,
    "simulated" BOOLEAN NOT NULL,
    "at" TIMESTAMPTZ(3) NOT NULL,
    "ok" INTEGER NOT NULL,
    "bad" INTEGER NOT NULL,
    "undecided" INTEGER NOT NULL,
    "latency" JSONB NOT NULL,

    CONSTRAINT "target_hours_pkey" PRIMARY KEY ("site","target","via","at","simulated")
);

-- CreateIndex
CREATE INDEX "fleet_hours_at_idx" ON "fleet_hours"("at");

-- CreateIndex
CREATE INDEX "target_samples_at_idx" ON "target_samples"("at");

-- CreateIndex
CREATE INDEX "target_hours_at_idx" ON "target_hours"("at");

-- CreateIndex
CREATE INDEX "fleet_samples_site_at_idx" ON "fleet_samples"("site", "at");

-- The hours of the samples that there are.
INSERT INTO "fleet_hours" ("site", "at", "sampled_at", "healthy", "failing", "stale", "cannot_tell", "signed_off", "at_risk", "patterns")
SELECT DISTINCT ON ("site", date_trunc('hour', "at", 'UTC')) "site", date_trunc('hour', "at", 'UTC'), "at", "healthy",
  "failing", "stale", "cannot_tell", "signed_off", "at_risk", "patterns"
FROM "fleet_samples" ORDER BY "site", date_trunc('hour', "at", 'UTC'), "failing" DESC, "at" DESC;
