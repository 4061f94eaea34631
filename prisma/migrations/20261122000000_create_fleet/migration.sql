-- CreateTable
CREATE TABLE "machines" (
    "id" UUID NOT NULL,
    "hostname" TEXT NOT NULL,
    "sort_name" TEXT NOT NULL DEFAULT '',
    "public_key" BYTEA NOT NULL,
    "token_id" UUID,
    "approved" BOOLEAN NOT NULL DEFAULT true,
    "simulated" BOOLEAN NOT NULL DEFAULT false,
    "enrolled_at" TIMESTAMPTZ(3) NOT NULL DEFAULT CURRENT_TIMESTAMP,
    "revoked_at" TIMESTAMPTZ(3),
    "cloned_at" TIMESTAMPTZ(3),
    "os" TEXT NOT NULL DEFAULT 'other',
    "os_version" TEXT NOT NULL DEFAULT '',
    "agent_version" TEXT NOT NULL DEFAULT '',
    "site" TEXT,
    "tags" TEXT[] DEFAULT ARRAY[]::TEXT[],
    "connected_to" TEXT,
    "last_seen_at" TIMESTAMPTZ(3),
    "signed_off_at" TIMESTAMPTZ(3),
    "status" TEXT NOT NULL DEFAULT 'cannot-tell',
    "status_since" TIMESTAMPTZ(3) NOT NULL DEFAULT CURRENT_TIMESTAMP,
    "at_risk" BOOLEAN NOT NULL DEFAULT false,
    "primary_pattern" TEXT,
    "primary_severity" TEXT,
    "primary_confidence" TEXT,
    "primary_cause" TEXT,
    "primary_since" TIMESTAMPTZ(3),
    "patterns" TEXT[] DEFAULT ARRAY[]::TEXT[],
    "location" TEXT NOT NULL DEFAULT 'unknown',
    "route" TEXT,
    "verdict_configured" TEXT,
    "verdict_direct" TEXT,
    "chain_configured" TEXT,
    "chain_direct" TEXT,
    "pac_hash" TEXT,
    "tls_issuer" TEXT,
    "tls_spki" TEXT,
    "clock_skew_ms" DOUBLE PRECISION,

    CONSTRAINT "machines_pkey" PRIMARY KEY ("id")
);

-- CreateTable
CREATE TABLE "machine_states" (
    "machine_id" UUID NOT NULL,
    "epoch" UUID,
    "last_seq" BIGINT NOT NULL DEFAULT 0,
    "state" JSONB NOT NULL,
    "updated_at" TIMESTAMPTZ(3) NOT NULL,
    "checkpoint_at" TIMESTAMPTZ(3),

    CONSTRAINT "machine_states_pkey" PRIMARY KEY ("machine_id")
);

-- CreateTable
CREATE TABLE "observations" (
    "machine_id" UUID NOT NULL,
    "received_at" TIMESTAMPTZ(3) NOT NULL,
    "epoch" UUID NOT NULL,
    "seq" BIGINT NOT NULL,
    "kind" TEXT NOT NULL,
    "key" TEXT NOT NULL,
    "observed_at" TIMESTAMPTZ(3) NOT NULL,
    "location" TEXT NOT NULL,
    "digest" TEXT NOT NULL,
    "verdict" TEXT,
    "raw" BOOLEAN NOT NULL DEFAULT false,
    "replayed" BOOLEAN NOT NULL DEFAULT false,
    "facts" JSONB NOT NULL,

    CONSTRAINT "observations_pkey" PRIMARY KEY ("machine_id","received_at","epoch","seq")
) PARTITION BY RANGE ("received_at");

-- CreateTable
CREATE TABLE "findings" (
    "id" UUID NOT NULL,
    "machine_id" UUID NOT NULL,
    "pattern" TEXT NOT NULL,
    "severity" TEXT NOT NULL,
    "confidence" TEXT NOT NULL,
    "primary" BOOLEAN NOT NULL,
    "cause" TEXT NOT NULL,
    "sentence" TEXT NOT NULL,
    "evidence" JSONB NOT NULL,
    "configurations" TEXT[],
    "users" INTEGER NOT NULL DEFAULT 0,
    "since" TIMESTAMPTZ(3) NOT NULL,
    "cleared_at" TIMESTAMPTZ(3),

    CONSTRAINT "findings_pkey" PRIMARY KEY ("id")
);

-- CreateTable
CREATE TABLE "transitions" (
    "machine_id" UUID NOT NULL,
    "at" TIMESTAMPTZ(3) NOT NULL,
    "id" UUID NOT NULL,
    "kind" TEXT NOT NULL,
    "text" TEXT NOT NULL,
    "detail" TEXT,
    "severity" TEXT,
    "replayed" BOOLEAN NOT NULL DEFAULT false,
    "change_key" TEXT,

    CONSTRAINT "transitions_pkey" PRIMARY KEY ("machine_id","at","id")
);

-- CreateTable
CREATE TABLE "quarantine" (
    "id" UUID NOT NULL,
    "machine_id" UUID NOT NULL,
    "received_at" TIMESTAMPTZ(3) NOT NULL,
    "reason" TEXT NOT NULL,
    "payload" TEXT NOT NULL,

    CONSTRAINT "quarantine_pkey" PRIMARY KEY ("id")
);

-- CreateTable
CREATE TABLE "policies" (
    "version" INTEGER NOT NULL,
    "body" JSONB NOT NULL,
    "created_at" TIMESTAMPTZ(3) NOT NULL DEFAULT CURRENT_TIMESTAMP,
    "created_by" TEXT NOT NULL,
    "note" TEXT NOT NULL DEFAULT '',

    CONSTRAINT "policies_pkey" PRIMARY KEY ("version")
);

-- CreateTable
CREATE TABLE "site_subnets" (
    "cidr" TEXT NOT NULL,
    "site" TEXT NOT NULL,

    CONSTRAINT "site_subnets_pkey" PRIMARY KEY ("cidr")
);

-- CreateTable
CREATE TABLE "enrollment_tokens" (
    "id" UUID NOT NULL,
    "hash" TEXT NOT NULL,
    "label" TEXT NOT NULL DEFAULT '',
    "site" TEXT,
    "tags" TEXT[] DEFAULT ARRAY[]::TEXT[],
    "max_uses" INTEGER NOT NULL,
    "uses" INTEGER NOT NULL DEFAULT 0,
    "expires_at" TIMESTAMPTZ(3) NOT NULL,
    "needs_approval" BOOLEAN NOT NULL DEFAULT false,
    "created_at" TIMESTAMPTZ(3) NOT NULL DEFAULT CURRENT_TIMESTAMP,
    "created_by" TEXT NOT NULL,
    "revoked_at" TIMESTAMPTZ(3),

    CONSTRAINT "enrollment_tokens_pkey" PRIMARY KEY ("id")
);

-- CreateTable
CREATE TABLE "api_tokens" (
    "id" UUID NOT NULL,
    "hash" TEXT NOT NULL,
    "label" TEXT NOT NULL,
    "scopes" TEXT[],
    "expires_at" TIMESTAMPTZ(3),
    "created_at" TIMESTAMPTZ(3) NOT NULL DEFAULT CURRENT_TIMESTAMP,
    "created_by" TEXT NOT NULL,
    "last_used_at" TIMESTAMPTZ(3),
    "revoked_at" TIMESTAMPTZ(3),

    CONSTRAINT "api_tokens_pkey" PRIMARY KEY ("id")
);

-- CreateTable
CREATE TABLE "commands" (
    "id" UUID NOT NULL,
    "machine_id" UUID NOT NULL,
    "command" TEXT NOT NULL,
    "created_at" TIMESTAMPTZ(3) NOT NULL DEFAULT CURRENT_TIMESTAMP,
    "created_by" TEXT NOT NULL,
    "state" TEXT NOT NULL DEFAULT 'queued',
    "done" INTEGER NOT NULL DEFAULT 0,
    "total" INTEGER NOT NULL DEFAULT 0,
    "reason" TEXT,
    "updated_at" TIMESTAMPTZ(3) NOT NULL,

    CONSTRAINT "commands_pkey" PRIMARY KEY ("id")
);

-- CreateTable
CREATE TABLE "fleet_samples" (
    "at" TIMESTAMPTZ(3) NOT NULL,
    "site" TEXT NOT NULL DEFAULT '',
    "healthy" INTEGER NOT NULL,
    "failing" INTEGER NOT NULL,
    "stale" INTEGER NOT NULL,
    "cannot_tell" INTEGER NOT NULL,
    "signed_off" INTEGER NOT NULL,
    "at_risk" INTEGER NOT NULL,
    "patterns" JSONB NOT NULL,

    CONSTRAINT "fleet_samples_pkey" PRIMARY KEY ("at","site")
);

-- CreateTable
CREATE TABLE "settings" (
    "key" TEXT NOT NULL,
    "value" JSONB NOT NULL,
    "updated_at" TIMESTAMPTZ(3) NOT NULL,

    CONSTRAINT "settings_pkey" PRIMARY KEY ("key")
);

-- CreateTable
CREATE TABLE "audit" (
    "id" UUID NOT NULL,
    "at" TIMESTAMPTZ(3) NOT NULL DEFAULT CURRENT_TIMESTAMP,
    "actor" TEXT NOT NULL,
    "action" TEXT NOT NULL,
    "subject" TEXT NOT NULL,
    "before" JSONB,
    "after" JSONB,

    CONSTRAINT "audit_pkey" PRIMARY KEY ("id")
);

-- CreateTable
CREATE TABLE "users" (
    "id" TEXT NOT NULL,
    "name" TEXT NOT NULL,
    "email" TEXT NOT NULL,
    "email_verified" BOOLEAN NOT NULL DEFAULT false,
    "image" TEXT,
    "role" TEXT NOT NULL DEFAULT 'viewer',
    "created_at" TIMESTAMPTZ(3) NOT NULL DEFAULT CURRENT_TIMESTAMP,
    "updated_at" TIMESTAMPTZ(3) NOT NULL,

    CONSTRAINT "users_pkey" PRIMARY KEY ("id")
);

-- CreateTable
CREATE TABLE "sessions" (
    "id" TEXT NOT NULL,
    "expires_at" TIMESTAMPTZ(3) NOT NULL,
    "token" TEXT NOT NULL,
    "created_at" TIMESTAMPTZ(3) NOT NULL DEFAULT CURRENT_TIMESTAMP,
    "updated_at" TIMESTAMPTZ(3) NOT NULL,
    "ip_address" TEXT,
    "user_agent" TEXT,
    "user_id" TEXT NOT NULL,

    CONSTRAINT "sessions_pkey" PRIMARY KEY ("id")
);

-- CreateTable
CREATE TABLE "accounts" (
    "id" TEXT NOT NULL,
    "account_id" TEXT NOT NULL,
    "provider_id" TEXT NOT NULL,
    "user_id" TEXT NOT NULL,
    "access_token" TEXT,
    "refresh_token" TEXT,
    "id_token" TEXT,
    "access_token_expires_at" TIMESTAMPTZ(3),
    "refresh_token_expires_at" TIMESTAMPTZ(3),
    "scope" TEXT,
    "password" TEXT,
    "created_at" TIMESTAMPTZ(3) NOT NULL DEFAULT CURRENT_TIMESTAMP,
    "updated_at" TIMESTAMPTZ(3) NOT NULL,

    CONSTRAINT "accounts_pkey" PRIMARY KEY ("id")
);

-- CreateTable
CREATE TABLE "verifications" (
    "id" TEXT NOT NULL,
    "identifier" TEXT NOT NULL,
    "value" TEXT NOT NULL,
    "expires_at" TIMESTAMPTZ(3) NOT NULL,
    "created_at" TIMESTAMPTZ(3) NOT NULL DEFAULT CURRENT_TIMESTAMP,
    "updated_at" TIMESTAMPTZ(3) NOT NULL,

    CONSTRAINT "verifications_pkey" PRIMARY KEY ("id")
);

-- CreateIndex
CREATE UNIQUE INDEX "machines_public_key_key" ON "machines"("public_key");

-- CreateIndex
CREATE INDEX "machines_status_since_id_idx" ON "machines"("status_since", "id");

-- CreateIndex
CREATE INDEX "machines_sort_name_id_idx" ON "machines"("sort_name", "id");

-- CreateIndex
CREATE INDEX "machines_status_idx" ON "machines"("status");

-- CreateIndex
CREATE INDEX "machines_site_status_idx" ON "machines"("site", "status");

-- CreateIndex
CREATE INDEX "machines_primary_pattern_status_idx" ON "machines"("primary_pattern", "status");

-- CreateIndex
CREATE INDEX "machines_patterns_idx" ON "machines" USING GIN ("patterns");

-- CreateIndex
CREATE INDEX "observations_machine_id_key_observed_at_idx" ON "observations"("machine_id", "key", "observed_at");

-- CreateIndex
CREATE INDEX "findings_machine_id_since_idx" ON "findings"("machine_id", "since");

-- CreateIndex
CREATE INDEX "findings_pattern_cleared_at_idx" ON "findings"("pattern", "cleared_at");

-- CreateIndex
CREATE INDEX "findings_cleared_at_since_idx" ON "findings"("cleared_at", "since");

-- CreateIndex
CREATE INDEX "transitions_at_idx" ON "transitions"("at");

-- CreateIndex
CREATE INDEX "transitions_change_key_at_idx" ON "transitions"("change_key", "at");

-- CreateIndex
CREATE INDEX "quarantine_received_at_idx" ON "quarantine"("received_at");

-- CreateIndex
CREATE INDEX "quarantine_machine_id_received_at_idx" ON "quarantine"("machine_id", "received_at");

-- CreateIndex
CREATE UNIQUE INDEX "enrollment_tokens_hash_key" ON "enrollment_tokens"("hash");

-- CreateIndex
CREATE UNIQUE INDEX "api_tokens_hash_key" ON "api_tokens"("hash");

-- CreateIndex
CREATE INDEX "commands_machine_id_created_at_idx" ON "commands"("machine_id", "created_at");

-- CreateIndex
CREATE INDEX "commands_state_created_at_idx" ON "commands"("state", "created_at");

-- CreateIndex
CREATE INDEX "audit_at_idx" ON "audit"("at");

-- CreateIndex
CREATE UNIQUE INDEX "users_email_key" ON "users"("email");

-- CreateIndex
CREATE UNIQUE INDEX "sessions_token_key" ON "sessions"("token");

-- CreateIndex
CREATE INDEX "sessions_user_id_idx" ON "sessions"("user_id");

-- CreateIndex
CREATE INDEX "accounts_user_id_idx" ON "accounts"("user_id");

-- CreateIndex
CREATE INDEX "verifications_identifier_idx" ON "verifications"("identifier");

-- AddForeignKey
ALTER TABLE "machine_states" ADD CONSTRAINT "machine_states_machine_id_fkey" FOREIGN KEY ("machine_id") REFERENCES "machines"("id") ON DELETE CASCADE ON UPDATE CASCADE;

-- AddForeignKey
ALTER TABLE "sessions" ADD CONSTRAINT "sessions_user_id_fkey" FOREIGN KEY ("user_id") REFERENCES "users"("id") ON DELETE CASCADE ON UPDATE CASCADE;

-- AddForeignKey
ALTER TABLE "accounts" ADD CONSTRAINT "accounts_user_id_fkey" FOREIGN KEY ("user_id") REFERENCES "users"("id") ON DELETE CASCADE ON UPDATE CASCADE;

-- Room on each page for heap-only updates: most updates touch no indexed column.
ALTER TABLE "machines" SET (fillfactor = 80);
ALTER TABLE "machine_states" SET (fillfactor = 70);

-- Natural order of names (LT-9 before LT-10) that needs no ICU: lower case, digit runs padded to twelve.
CREATE FUNCTION "lynceus_sort_name"(name TEXT) RETURNS TEXT LANGUAGE sql IMMUTABLE STRICT PARALLEL SAFE AS $$
    SELECT regexp_replace(regexp_replace(lower(name), '([0-9]+)', '00000000000\1', 'g'), '[0-9]*([0-9]{12})', '\1', 'g')
$$;

CREATE FUNCTION "lynceus_set_sort_name"() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    NEW."sort_name" := "lynceus_sort_name"(NEW."hostname");
    RETURN NEW;
END
$$;

CREATE TRIGGER "machines_sort_name_insert" BEFORE INSERT ON "machines"
    FOR EACH ROW EXECUTE FUNCTION "lynceus_set_sort_name"();
CREATE TRIGGER "machines_sort_name_update" BEFORE UPDATE OF "hostname" ON "machines"
    FOR EACH ROW WHEN (NEW."hostname" IS DISTINCT FROM OLD."hostname") EXECUTE FUNCTION "lynceus_set_sort_name"();

-- The audit is append-only for everyone, the owner included.
CREATE FUNCTION "lynceus_refuse_change"() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    RAISE EXCEPTION 'table % is append-only', TG_TABLE_NAME;
END
$$;

CREATE TRIGGER "audit_append_only" BEFORE UPDATE OR DELETE ON "audit"
    FOR EACH ROW EXECUTE FUNCTION "lynceus_refuse_change"();
