import type { Metadata } from "next";
import { AlertingHeader } from "../../../../../components/alerting/alerting-header.tsx";
import { ImportForm } from "../../../../../components/alerting/import-form.tsx";
import forms from "../../../../../components/forms/forms.module.css";
import { Panel } from "../../../../../components/layout/panel.tsx";
import { requireRight } from "../../../../../lib/session.ts";

export const metadata: Metadata = { title: "Import" };

/** A whole configuration from a file: all that is wrong with it, or what it would change, before it is saved. */
export default async function ImportPage() {
  await requireRight("configure");
  return (
    <>
      <AlertingHeader title="Import" above={[{ title: "Versions and file", href: "/alerting/versions" }]} />
      <h1 className="vh">Import</h1>
      <Panel
        title="Import a YAML file"
        sub="it replaces the whole configuration; nothing is saved before you see what changes"
      >
        <div className={forms.body}>
          <ImportForm />
        </div>
      </Panel>
    </>
  );
}
