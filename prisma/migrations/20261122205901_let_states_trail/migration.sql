-- AlterTable
ALTER TABLE "machine_states" ADD COLUMN     "state_seq" BIGINT NOT NULL DEFAULT 0;

-- What is stored is whole.
UPDATE "machine_states" SET "state_seq" = "last_seq";
