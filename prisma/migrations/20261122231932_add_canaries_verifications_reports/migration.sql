-- AlterTable
ALTER TABLE "commands" ADD COLUMN     "epoch" UUID,
ADD COLUMN     "routes" JSONB,
ADD COLUMN     "seq" BIGINT;

-- CreateTable
CREATE TABLE "canaries" (
    "id" UUID NOT NULL,
    "title" TEXT NOT NULL,
    "created_at" TIMESTAMPTZ(3) NOT NULL,
    "created_by" TEXT NOT NULL,
    "finished_at" TIMESTAMPTZ(3),
    "state" TEXT NOT NULL,
    "reason" TEXT,
    "proposal" JSONB NOT NULL,
    "script" TEXT,
    "script_sha256" TEXT,
    "q" TEXT NOT NULL,
    "site" TEXT,
    "probe" UUID[],
    "machines" INTEGER,
    "evaluated" INTEGER NOT NULL DEFAULT 0,
    "after_machine" UUID,
    "lease_by" TEXT,
    "lease_until" TIMESTAMPTZ(3),

    CONSTRAINT "canaries_pkey" PRIMARY KEY ("id")
);

-- CreateTable
CREATE TABLE "canary_results" (
    "canary_id" UUID NOT NULL,
    "machine_id" UUID NOT NULL,
    "effect" TEXT NOT NULL,
    "targets" JSONB NOT NULL,
    "probe_state" TEXT NOT NULL DEFAULT 'none',
    "probe_reason" TEXT,
    "routes" JSONB,
    "command_id" UUID,

    CONSTRAINT "canary_results_pkey" PRIMARY KEY ("canary_id","machine_id")
);

-- CreateTable
CREATE TABLE "fix_verifications" (
    "id" UUID NOT NULL,
    "created_at" TIMESTAMPTZ(3) NOT NULL,
    "created_by" TEXT NOT NULL,
    "finished_at" TIMESTAMPTZ(3),
    "state" TEXT NOT NULL,
    "pattern" TEXT,
    "cause" TEXT,
    "cause_id" UUID,
    "q" TEXT NOT NULL,
    "site" TEXT,
    "per_second" DOUBLE PRECISION,
    "deadline" TIMESTAMPTZ(3) NOT NULL,

    CONSTRAINT "fix_verifications_pkey" PRIMARY KEY ("id")
);

-- CreateTable
CREATE TABLE "fix_verification_machines" (
    "verification_id" UUID NOT NULL,
    "machine_id" UUID NOT NULL,
    "state" TEXT NOT NULL,
    "command_id" UUID,
    "asked_at" TIMESTAMPTZ(3),
    "settled_at" TIMESTAMPTZ(3),
    "status" TEXT,
    "primary_pattern" TEXT,

    CONSTRAINT "fix_verification_machines_pkey" PRIMARY KEY ("verification_id","machine_id")
);

-- CreateTable
CREATE TABLE "machine_reports" (
    "id" UUID NOT NULL,
    "machine_id" UUID NOT NULL,
    "user" TEXT NOT NULL,
    "at" TIMESTAMPTZ(3) NOT NULL,
    "prompted" BOOLEAN NOT NULL,
    "pattern" TEXT,
    "note" TEXT NOT NULL,
    "created_at" TIMESTAMPTZ(3) NOT NULL,
    "created_by" TEXT NOT NULL,

    CONSTRAINT "machine_reports_pkey" PRIMARY KEY ("id")
);

-- CreateIndex
CREATE INDEX "canaries_created_at_id_idx" ON "canaries"("created_at", "id");

-- CreateIndex
CREATE INDEX "canaries_state_idx" ON "canaries"("state");

-- CreateIndex
CREATE INDEX "canary_results_canary_id_effect_idx" ON "canary_results"("canary_id", "effect");

-- CreateIndex
CREATE INDEX "canary_results_machine_id_idx" ON "canary_results"("machine_id");

-- CreateIndex
CREATE INDEX "canary_results_command_id_idx" ON "canary_results"("command_id");

-- CreateIndex
CREATE INDEX "fix_verifications_created_at_id_idx" ON "fix_verifications"("created_at", "id");

-- CreateIndex
CREATE INDEX "fix_verifications_state_idx" ON "fix_verifications"("state");

-- CreateIndex
CREATE INDEX "fix_verification_machines_verification_id_state_idx" ON "fix_verification_machines"("verification_id", "state");

-- CreateIndex
CREATE INDEX "fix_verification_machines_machine_id_idx" ON "fix_verification_machines"("machine_id");

-- CreateIndex
CREATE INDEX "machine_reports_machine_id_at_idx" ON "machine_reports"("machine_id", "at");

-- CreateIndex
CREATE INDEX "machine_reports_at_id_idx" ON "machine_reports"("at", "id");

-- AddForeignKey
ALTER TABLE "canary_results" ADD CONSTRAINT "canary_results_canary_id_fkey" FOREIGN KEY ("canary_id") REFERENCES "canaries"("id") ON DELETE CASCADE ON UPDATE CASCADE;

-- AddForeignKey
ALTER TABLE "canary_results" ADD CONSTRAINT "canary_results_machine_id_fkey" FOREIGN KEY ("machine_id") REFERENCES "machines"("id") ON DELETE CASCADE ON UPDATE CASCADE;

-- AddForeignKey
ALTER TABLE "fix_verification_machines" ADD CONSTRAINT "fix_verification_machines_verification_id_fkey" FOREIGN KEY ("verification_id") REFERENCES "fix_verifications"("id") ON DELETE CASCADE ON UPDATE CASCADE;

-- AddForeignKey
ALTER TABLE "fix_verification_machines" ADD CONSTRAINT "fix_verification_machines_machine_id_fkey" FOREIGN KEY ("machine_id") REFERENCES "machines"("id") ON DELETE CASCADE ON UPDATE CASCADE;

-- AddForeignKey
ALTER TABLE "machine_reports" ADD CONSTRAINT "machine_reports_machine_id_fkey" FOREIGN KEY ("machine_id") REFERENCES "machines"("id") ON DELETE CASCADE ON UPDATE CASCADE;
