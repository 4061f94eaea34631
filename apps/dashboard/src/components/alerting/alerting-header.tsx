import type { ReactNode } from "react";
import { PageHeader } from "../layout/page-header.tsx";
import { AlertingTabs } from "./alerting-tabs.tsx";

/** The top of a page about who is told: where one is, and the other pages. */
export function AlertingHeader(props: {
  /** Null: the first page, which is alerting itself. */
  title: ReactNode | null;
  above?: readonly { title: string; href: string }[];
  children?: ReactNode;
}) {
  const { title, above = [], children } = props;
  return (
    <>
      <PageHeader
        title={title ?? "Alerting"}
        above={title === null ? [] : [{ title: "Alerting", href: "/alerting" }, ...above]}
      >
        {children}
      </PageHeader>
      <AlertingTabs />
    </>
  );
}
