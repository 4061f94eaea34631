-- CreateTable
CREATE TABLE "machine_notes" (
    "id" UUID NOT NULL,
    "machine_id" UUID NOT NULL,
    "at" TIMESTAMPTZ(3) NOT NULL,
    "author" TEXT NOT NULL,
    "text" TEXT NOT NULL,

    CONSTRAINT "machine_notes_pkey" PRIMARY KEY ("id")
);

-- CreateIndex
CREATE INDEX "machine_notes_machine_id_at_idx" ON "machine_notes"("machine_id", "at");

-- AddForeignKey
ALTER TABLE "machine_notes" ADD CONSTRAINT "machine_notes_machine_id_fkey" FOREIGN KEY ("machine_id") REFERENCES "machines"("id") ON DELETE CASCADE ON UPDATE CASCADE;
