-- AlterTable
ALTER TABLE "policies" ADD COLUMN     "in_force_at" TIMESTAMPTZ(3),
ADD COLUMN     "rollout" JSONB,
ADD COLUMN     "withdrawn_at" TIMESTAMPTZ(3);

-- Until now a version was the whole fleet's from the moment it was saved.
UPDATE "policies" SET "in_force_at" = "created_at";
