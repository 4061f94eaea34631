-- CreateTable
CREATE TABLE "tags" (
    "name" TEXT NOT NULL,

    CONSTRAINT "tags_pkey" PRIMARY KEY ("name")
);

-- The tags that there are.
INSERT INTO "tags" ("name") SELECT DISTINCT unnest("tags") FROM "machines";

CREATE FUNCTION "lynceus_list_tags"() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
  INSERT INTO "tags" ("name") SELECT unnest(NEW."tags") ORDER BY 1 ON CONFLICT DO NOTHING;
  RETURN NULL;
END $$;

CREATE TRIGGER "machines_tags_insert" AFTER INSERT ON "machines"
    FOR EACH ROW WHEN (cardinality(NEW."tags") > 0) EXECUTE FUNCTION "lynceus_list_tags"();
CREATE TRIGGER "machines_tags_update" AFTER UPDATE OF "tags" ON "machines"
    FOR EACH ROW WHEN (NEW."tags" IS DISTINCT FROM OLD."tags") EXECUTE FUNCTION "lynceus_list_tags"();
