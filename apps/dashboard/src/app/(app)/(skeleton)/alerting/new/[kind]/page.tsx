import { receiverTypes } from "@lynceus/protocol/receivers";
import type { Metadata } from "next";
import Link from "next/link";
import { notFound } from "next/navigation";
import styles from "../../../../../../components/alerting/alerting.module.css";
import { AlertingHeader } from "../../../../../../components/alerting/alerting-header.tsx";
import { PieceForm } from "../../../../../../components/alerting/piece-form.tsx";
import { typeNames, typeTexts } from "../../../../../../components/alerting/words.ts";
import forms from "../../../../../../components/forms/forms.module.css";
import { Panel } from "../../../../../../components/layout/panel.tsx";
import { blankOf } from "../../../../../../lib/alerting/blanks.ts";
import { choicesOf, secretFields } from "../../../../../../lib/alerting/page-data.ts";
import { isListKind, kindWords } from "../../../../../../lib/alerting/pieces.ts";
import { noKeyText } from "../../../../../../lib/alerting/save.ts";
import { environment } from "../../../../../../lib/env.ts";
import { requireRight } from "../../../../../../lib/session.ts";
import { alerting } from "../../../../../../lib/told.ts";
import { viewerZone } from "../../../../../../lib/zone.ts";

export const metadata: Metadata = { title: "New" };

/** A new piece of the configuration; of a receiver its type is chosen first. */
export default async function NewPiecePage(props: {
  params: Promise<{ kind: string }>;
  searchParams: Promise<Record<string, unknown>>;
}) {
  await requireRight("configure");
  const { kind } = await props.params;
  if (!isListKind(kind)) notFound();
  const { type: asked } = await props.searchParams;
  const type = receiverTypes.find((one) => one === asked) ?? null;
  const title = `New ${kindWords[kind]}`;
  if (kind === "receivers" && type === null)
    return (
      <>
        <AlertingHeader title={title} />
        <h1 className="vh">{title}</h1>
        <Panel title="What kind of receiver?" sub="how each is set up: docs/receivers.md">
          <div className={styles.types}>
            {receiverTypes.map((one) => (
              <Link key={one} href={`/alerting/new/receivers?type=${one}`}>
                <b>{typeNames[one]}</b>
                <small>{typeTexts[one]}</small>
              </Link>
            ))}
          </div>
        </Panel>
      </>
    );
  const { config, version } = await alerting();
  const value = blankOf(kind, { type: type ?? "webhook", zone: await viewerZone(), now: Date.now() });
  return (
    <>
      <AlertingHeader title={title} />
      <h1 className="vh">{title}</h1>
      <div className={forms.columns} data-wide="first">
        <Panel title={title} {...(type === null ? {} : { sub: typeNames[type] })}>
          <div className={forms.body}>
            <PieceForm
              key={type}
              kind={kind}
              id=""
              version={version}
              value={value}
              choices={choicesOf(config)}
              secrets={kind === "receivers" && type !== null ? secretFields({ id: "", type }, []) : []}
              sealed={environment().secretKeys === null ? noKeyText : null}
              allowed
              done={null}
            />
          </div>
        </Panel>
      </div>
    </>
  );
}
