import type { Access } from "@lynceus/protocol/access";
import type { ReactNode } from "react";
import { PageHeader } from "../layout/page-header.tsx";
import { SettingsTabs } from "./settings-tabs.tsx";

/** The top of a page of the settings: where one is, and the other pages that somebody may open. */
export function SettingsHeader(props: {
  access: Access;
  /** Null: the first page, which is the settings themselves. */
  title: ReactNode | null;
  /** Pages between the settings and this one. */
  above?: readonly { title: string; href: string }[];
}) {
  const { access, title, above = [] } = props;
  return (
    <>
      <PageHeader
        title={title ?? "Settings"}
        above={title === null ? [] : [{ title: "Settings", href: "/settings" }, ...above]}
      />
      <SettingsTabs access={access} />
    </>
  );
}
