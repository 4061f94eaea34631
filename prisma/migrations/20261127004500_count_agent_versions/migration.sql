-- AlterTable
ALTER TABLE "fleet_samples" ADD COLUMN     "agents" JSONB NOT NULL DEFAULT '{}';
