-- DropIndex
DROP INDEX "machine_traits_changed_at_idx";

-- CreateIndex
CREATE INDEX "machine_traits_changed_at_machine_id_idx" ON "machine_traits"("changed_at", "machine_id");
