-- AlterTable
ALTER TABLE "api_tokens" ADD COLUMN     "scope_sites" TEXT[] DEFAULT ARRAY[]::TEXT[],
ADD COLUMN     "scope_tags" TEXT[] DEFAULT ARRAY[]::TEXT[],
ADD COLUMN     "scoped" BOOLEAN NOT NULL DEFAULT false;

-- AlterTable
ALTER TABLE "canaries" ADD COLUMN     "scope_sites" TEXT[] DEFAULT ARRAY[]::TEXT[],
ADD COLUMN     "scope_tags" TEXT[] DEFAULT ARRAY[]::TEXT[],
ADD COLUMN     "scoped" BOOLEAN NOT NULL DEFAULT false;

-- AlterTable
ALTER TABLE "fix_verifications" ADD COLUMN     "scope_sites" TEXT[] DEFAULT ARRAY[]::TEXT[],
ADD COLUMN     "scope_tags" TEXT[] DEFAULT ARRAY[]::TEXT[],
ADD COLUMN     "scoped" BOOLEAN NOT NULL DEFAULT false;

-- AlterTable
ALTER TABLE "users" ADD COLUMN     "disabled_at" TIMESTAMPTZ(3),
ADD COLUMN     "last_sign_in_at" TIMESTAMPTZ(3),
ADD COLUMN     "password_is_temporary" BOOLEAN NOT NULL DEFAULT false,
ADD COLUMN     "scope_sites" TEXT[] DEFAULT ARRAY[]::TEXT[],
ADD COLUMN     "scope_tags" TEXT[] DEFAULT ARRAY[]::TEXT[],
ADD COLUMN     "scoped" BOOLEAN NOT NULL DEFAULT false,
ADD COLUMN     "two_factor_enabled" BOOLEAN NOT NULL DEFAULT false;

-- CreateTable
CREATE TABLE "two_factors" (
    "id" TEXT NOT NULL,
    "secret" TEXT NOT NULL,
    "backup_codes" TEXT NOT NULL,
    "user_id" TEXT NOT NULL,
    "verified" BOOLEAN NOT NULL DEFAULT true,
    "failed_verification_count" INTEGER NOT NULL DEFAULT 0,
    "locked_until" TIMESTAMPTZ(3),

    CONSTRAINT "two_factors_pkey" PRIMARY KEY ("id")
);

-- CreateIndex
CREATE INDEX "two_factors_user_id_idx" ON "two_factors"("user_id");

-- CreateIndex
CREATE INDEX "audit_actor_at_idx" ON "audit"("actor", "at");

-- CreateIndex
CREATE INDEX "audit_subject_at_idx" ON "audit"("subject", "at");

-- CreateIndex
CREATE INDEX "machines_tags_idx" ON "machines" USING GIN ("tags");

-- AddForeignKey
ALTER TABLE "two_factors" ADD CONSTRAINT "two_factors_user_id_fkey" FOREIGN KEY ("user_id") REFERENCES "users"("id") ON DELETE CASCADE ON UPDATE CASCADE;
