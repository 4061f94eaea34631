-- CreateTable
CREATE TABLE "incidents" (
    "number" INTEGER NOT NULL,
    "kind" TEXT NOT NULL,
    "state" TEXT NOT NULL,
    "simulated" BOOLEAN NOT NULL,
    "location" TEXT NOT NULL,
    "pattern" TEXT,
    "severity" TEXT NOT NULL,
    "confidence" TEXT NOT NULL,
    "urgency" TEXT NOT NULL,
    "title" TEXT NOT NULL,
    "explanation" TEXT,
    "cause_id" UUID,
    "evidence" TEXT,
    "since" TIMESTAMPTZ(3) NOT NULL,
    "opened_at" TIMESTAMPTZ(3) NOT NULL,
    "ended_at" TIMESTAMPTZ(3),
    "ended_how" TEXT,
    "ended_by" TEXT,
    "ended_note" TEXT NOT NULL DEFAULT '',
    "merged_into" INTEGER,
    "acknowledged_at" TIMESTAMPTZ(3),
    "acknowledged_by" TEXT,
    "acknowledged_via" TEXT,
    "acknowledged_person" TEXT,
    "split_from" INTEGER,
    "failing" INTEGER NOT NULL,
    "silent" INTEGER NOT NULL,
    "peak" INTEGER NOT NULL,
    "sites" JSONB NOT NULL,
    "memory" JSONB NOT NULL,
    "live" BOOLEAN NOT NULL,

    CONSTRAINT "incidents_pkey" PRIMARY KEY ("number")
);

-- CreateTable
CREATE TABLE "incident_members" (
    "incident" INTEGER NOT NULL,
    "machine_id" UUID NOT NULL,
    "joined_at" TIMESTAMPTZ(3) NOT NULL,
    "left_at" TIMESTAMPTZ(3),

    CONSTRAINT "incident_members_pkey" PRIMARY KEY ("incident","machine_id")
);

-- CreateTable
CREATE TABLE "incident_events" (
    "id" BIGSERIAL NOT NULL,
    "incident" INTEGER NOT NULL,
    "at" TIMESTAMPTZ(3) NOT NULL,
    "kind" TEXT NOT NULL,
    "reason" TEXT,
    "text" TEXT NOT NULL,
    "actor" TEXT,
    "detail" JSONB NOT NULL,

    CONSTRAINT "incident_events_pkey" PRIMARY KEY ("id")
);

-- CreateTable
CREATE TABLE "notices" (
    "id" BIGSERIAL NOT NULL,
    "key" TEXT NOT NULL,
    "incident" INTEGER,
    "receiver" TEXT NOT NULL,
    "person" TEXT,
    "kind" TEXT NOT NULL,
    "reason" TEXT NOT NULL,
    "urgency" TEXT NOT NULL,
    "thread" TEXT NOT NULL,
    "body" JSONB NOT NULL,
    "state" TEXT NOT NULL DEFAULT 'queued',
    "attempts" INTEGER NOT NULL DEFAULT 0,
    "claim" UUID,
    "claimed_by" TEXT,
    "created_at" TIMESTAMPTZ(3) NOT NULL,
    "due_at" TIMESTAMPTZ(3),
    "next_at" TIMESTAMPTZ(3),
    "sent_at" TIMESTAMPTZ(3),
    "detail" TEXT,
    "reported_at" TIMESTAMPTZ(3),

    CONSTRAINT "notices_pkey" PRIMARY KEY ("id")
);

-- CreateTable
CREATE TABLE "silences" (
    "id" UUID NOT NULL,
    "match" TEXT NOT NULL,
    "author" TEXT NOT NULL,
    "comment" TEXT NOT NULL,
    "created_at" TIMESTAMPTZ(3) NOT NULL,
    "starts_at" TIMESTAMPTZ(3) NOT NULL,
    "ends_at" TIMESTAMPTZ(3) NOT NULL,
    "ended_by" TEXT,
    "scoped" BOOLEAN NOT NULL DEFAULT false,
    "scope_sites" TEXT[] DEFAULT ARRAY[]::TEXT[],
    "scope_tags" TEXT[] DEFAULT ARRAY[]::TEXT[],

    CONSTRAINT "silences_pkey" PRIMARY KEY ("id")
);

-- CreateTable
CREATE TABLE "alerting_configs" (
    "version" INTEGER NOT NULL,
    "body" JSONB NOT NULL,
    "created_at" TIMESTAMPTZ(3) NOT NULL,
    "created_by" TEXT NOT NULL,
    "note" TEXT NOT NULL DEFAULT '',

    CONSTRAINT "alerting_configs_pkey" PRIMARY KEY ("version")
);

-- CreateTable
CREATE TABLE "receiver_secrets" (
    "receiver" TEXT NOT NULL,
    "name" TEXT NOT NULL,
    "sealed" TEXT NOT NULL,
    "updated_at" TIMESTAMPTZ(3) NOT NULL,

    CONSTRAINT "receiver_secrets_pkey" PRIMARY KEY ("receiver","name")
);

-- CreateIndex
CREATE INDEX "incidents_live_number_idx" ON "incidents"("live", "number");

-- CreateIndex
CREATE INDEX "incidents_opened_at_number_idx" ON "incidents"("opened_at", "number");

-- CreateIndex
CREATE INDEX "incident_members_machine_id_idx" ON "incident_members"("machine_id");

-- CreateIndex
CREATE INDEX "incident_events_incident_id_idx" ON "incident_events"("incident", "id");

-- CreateIndex
CREATE UNIQUE INDEX "notices_key_key" ON "notices"("key");

-- CreateIndex
CREATE INDEX "notices_due_at_idx" ON "notices"("due_at");

-- CreateIndex
CREATE INDEX "notices_receiver_thread_id_idx" ON "notices"("receiver", "thread", "id");

-- CreateIndex
CREATE INDEX "notices_incident_id_idx" ON "notices"("incident", "id");

-- CreateIndex
CREATE INDEX "notices_state_id_idx" ON "notices"("state", "id");

-- CreateIndex
CREATE INDEX "notices_created_at_idx" ON "notices"("created_at");

-- CreateIndex
CREATE INDEX "silences_ends_at_id_idx" ON "silences"("ends_at", "id");

-- AddForeignKey
ALTER TABLE "incident_members" ADD CONSTRAINT "incident_members_incident_fkey" FOREIGN KEY ("incident") REFERENCES "incidents"("number") ON DELETE CASCADE ON UPDATE CASCADE;

-- AddForeignKey
ALTER TABLE "incident_events" ADD CONSTRAINT "incident_events_incident_fkey" FOREIGN KEY ("incident") REFERENCES "incidents"("number") ON DELETE CASCADE ON UPDATE CASCADE;
