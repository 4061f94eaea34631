-- AlterTable
ALTER TABLE "findings" ADD COLUMN     "rejudged_at" TIMESTAMPTZ(3),
ADD COLUMN     "withdrawn" BOOLEAN NOT NULL DEFAULT false;

-- CreateTable
CREATE TABLE "machine_traits" (
    "machine_id" UUID NOT NULL,
    "changed_at" TIMESTAMPTZ(6) NOT NULL DEFAULT CURRENT_TIMESTAMP,
    "digest" TEXT NOT NULL DEFAULT '',
    "pac_url" TEXT,
    "resolver" TEXT,
    "subnet" TEXT,
    "back_end" TEXT,
    "address" TEXT,
    "route_kind" TEXT,
    "configuration" TEXT,
    "settings_changed_at" TIMESTAMPTZ(3),
    "settings_counter" BIGINT,
    "tls_spki_before" TEXT,
    "tls_changed_at" TIMESTAMPTZ(3),
    "dns_answer" TEXT,
    "policy_version" INTEGER,

    CONSTRAINT "machine_traits_pkey" PRIMARY KEY ("machine_id")
);

-- CreateTable
CREATE TABLE "first_seen" (
    "key" TEXT NOT NULL,
    "value" TEXT NOT NULL,
    "simulated" BOOLEAN NOT NULL,
    "at" TIMESTAMPTZ(3) NOT NULL,

    CONSTRAINT "first_seen_pkey" PRIMARY KEY ("key","value","simulated")
);

-- CreateTable
CREATE TABLE "pending_changes" (
    "id" BIGSERIAL NOT NULL,
    "machine_id" UUID NOT NULL,
    "at" TIMESTAMPTZ(3) NOT NULL,
    "kind" TEXT NOT NULL,
    "text" TEXT NOT NULL,
    "detail" TEXT,
    "change_key" TEXT NOT NULL,
    "set_key" TEXT,
    "set_value" TEXT,

    CONSTRAINT "pending_changes_pkey" PRIMARY KEY ("id")
);

-- CreateTable
CREATE TABLE "fleet_changes" (
    "id" UUID NOT NULL,
    "change_key" TEXT NOT NULL,
    "simulated" BOOLEAN NOT NULL,
    "kind" TEXT NOT NULL,
    "text" TEXT NOT NULL,
    "detail" TEXT,
    "set_key" TEXT,
    "set_value" TEXT,
    "first_at" TIMESTAMPTZ(3) NOT NULL,
    "last_at" TIMESTAMPTZ(3) NOT NULL,
    "machines" INTEGER NOT NULL DEFAULT 0,

    CONSTRAINT "fleet_changes_pkey" PRIMARY KEY ("id")
);

-- CreateTable
CREATE TABLE "fleet_change_machines" (
    "change_id" UUID NOT NULL,
    "machine_id" UUID NOT NULL,
    "at" TIMESTAMPTZ(3) NOT NULL,

    CONSTRAINT "fleet_change_machines_pkey" PRIMARY KEY ("change_id","machine_id")
);

-- CreateTable
CREATE TABLE "causes" (
    "id" UUID NOT NULL,
    "simulated" BOOLEAN NOT NULL,
    "location" TEXT NOT NULL,
    "key" TEXT NOT NULL,
    "value" TEXT NOT NULL,
    "text" TEXT NOT NULL,
    "explains" INTEGER NOT NULL,
    "of" INTEGER NOT NULL,
    "counts" JSONB NOT NULL,
    "confidence" TEXT NOT NULL,
    "first_seen" TIMESTAMPTZ(3),
    "since" TIMESTAMPTZ(3) NOT NULL,
    "updated_at" TIMESTAMPTZ(3) NOT NULL,
    "cleared_at" TIMESTAMPTZ(3),
    "change" JSONB,
    "also" JSONB NOT NULL,
    "counter_examples" JSONB NOT NULL,

    CONSTRAINT "causes_pkey" PRIMARY KEY ("id")
);

-- CreateTable
CREATE TABLE "cause_members" (
    "cause_id" UUID NOT NULL,
    "machine_id" UUID NOT NULL,
    "since" TIMESTAMPTZ(3) NOT NULL,
    "until" TIMESTAMPTZ(3),

    CONSTRAINT "cause_members_pkey" PRIMARY KEY ("cause_id","machine_id")
);

-- CreateTable
CREATE TABLE "attributions" (
    "simulated" BOOLEAN NOT NULL,
    "location" TEXT NOT NULL,
    "at" TIMESTAMPTZ(3) NOT NULL,
    "body" JSONB NOT NULL,

    CONSTRAINT "attributions_pkey" PRIMARY KEY ("simulated","location")
);

-- CreateIndex
CREATE INDEX "machine_traits_changed_at_idx" ON "machine_traits"("changed_at");

-- CreateIndex
CREATE INDEX "fleet_changes_last_at_id_idx" ON "fleet_changes"("last_at", "id");

-- CreateIndex
CREATE INDEX "fleet_changes_change_key_simulated_last_at_idx" ON "fleet_changes"("change_key", "simulated", "last_at");

-- CreateIndex
CREATE INDEX "fleet_change_machines_change_id_at_machine_id_idx" ON "fleet_change_machines"("change_id", "at", "machine_id");

-- CreateIndex
CREATE INDEX "fleet_change_machines_machine_id_at_idx" ON "fleet_change_machines"("machine_id", "at");

-- CreateIndex
CREATE INDEX "causes_cleared_at_since_idx" ON "causes"("cleared_at", "since");

-- CreateIndex
CREATE INDEX "causes_since_id_idx" ON "causes"("since", "id");

-- CreateIndex
CREATE INDEX "cause_members_machine_id_idx" ON "cause_members"("machine_id");

-- AddForeignKey
ALTER TABLE "machine_traits" ADD CONSTRAINT "machine_traits_machine_id_fkey" FOREIGN KEY ("machine_id") REFERENCES "machines"("id") ON DELETE CASCADE ON UPDATE CASCADE;

-- AddForeignKey
ALTER TABLE "fleet_change_machines" ADD CONSTRAINT "fleet_change_machines_change_id_fkey" FOREIGN KEY ("change_id") REFERENCES "fleet_changes"("id") ON DELETE CASCADE ON UPDATE CASCADE;

-- AddForeignKey
ALTER TABLE "cause_members" ADD CONSTRAINT "cause_members_cause_id_fkey" FOREIGN KEY ("cause_id") REFERENCES "causes"("id") ON DELETE CASCADE ON UPDATE CASCADE;

-- Machines that are known already: their traits come with their next report.
INSERT INTO "machine_traits" ("machine_id") SELECT "id" FROM "machines";
