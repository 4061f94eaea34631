import type { DataSourcePluginOptionsEditorProps } from "@grafana/data";
import { Alert, Field, FieldSet, Input, SecretInput, SecretTextArea, Switch } from "@grafana/ui";
import React, { type ChangeEvent, useId } from "react";
import { safeBase } from "../links";
import type { LynceusOptions, LynceusSecrets } from "../types";

type Props = DataSourcePluginOptionsEditorProps<LynceusOptions, LynceusSecrets>;

const example = "https://collector.example.org:7443";

/** What is wrong with the collector's address; null when it can be one, or is not there yet. */
export function addressProblem(url: string): string | null {
  if (url === "") return null;
  if (!/^https?:\/\//i.test(url)) return `"${url}" has no scheme; use e.g. ${example}`;
  if (safeBase(url) === null) return `"${url}" is no address; use e.g. ${example}`;
  if (/^http:/i.test(url) && !/^http:\/\/(localhost|127\.|\[::1\])/i.test(url))
    return `"${url}" would send the token in clear text; a collector speaks https, e.g. ${example}`;
  return null;
}

/** What is wrong with what was given as the authority's certificate; null when it can be one. */
export function authorityProblem(pem: string): string | null {
  if (pem.trim() === "") return null;
  if (pem.includes("PRIVATE KEY"))
    return "This holds a private key, which goes to nobody; give the certificate alone, ca.pem";
  return /^-----BEGIN CERTIFICATE-----[\s\S]+-----END CERTIFICATE-----\s*$/.test(pem.trim())
    ? null
    : "This is no certificate in PEM form; it begins with -----BEGIN CERTIFICATE-----";
}

/** Settings of the data source. Secrets go to Grafana's server and never come back. */
export function ConfigEditor({ options, onOptionsChange }: Props) {
  const ids = { url: useId(), token: useId(), authority: useId(), dashboard: useId(), live: useId() };
  const { jsonData, secureJsonData, secureJsonFields } = options;
  const setData = (change: Partial<LynceusOptions>) =>
    onOptionsChange({ ...options, jsonData: { ...jsonData, ...change } });
  const setSecret = (name: keyof LynceusSecrets, value: string, data: Partial<LynceusOptions> = {}) =>
    onOptionsChange({
      ...options,
      jsonData: { ...jsonData, ...data },
      secureJsonData: { ...secureJsonData, [name]: value },
    });
  const reset = (name: keyof LynceusSecrets, data: Partial<LynceusOptions> = {}) =>
    onOptionsChange({
      ...options,
      jsonData: { ...jsonData, ...data },
      secureJsonFields: { ...secureJsonFields, [name]: false },
      secureJsonData: { ...secureJsonData, [name]: "" },
    });
  const problem = addressProblem(options.url);
  const badAuthority = authorityProblem(secureJsonData?.tlsCACert ?? "");
  const dashboard = jsonData.dashboardUrl ?? "";
  const badDashboard = dashboard !== "" && safeBase(dashboard) === null;

  return (
    <>
      {options.access === "direct" && (
        <Alert severity="warning" title="Access is set to Browser">
          The token is added by Grafana's server alone. Set access to proxy in the provisioned file.
        </Alert>
      )}
      <FieldSet label="Collector">
        <Field
          noMargin
          label="URL"
          description="Address of the collector as Grafana's server reaches it, not the dashboard's"
          invalid={problem !== null}
          error={problem}
        >
          <Input
            id={ids.url}
            width={60}
            placeholder={example}
            value={options.url}
            onChange={(event: ChangeEvent<HTMLInputElement>) =>
              onOptionsChange({ ...options, url: event.currentTarget.value.trim() })
            }
          />
        </Field>
        <br />
        <Field
          noMargin
          label="API token"
          description="With the scope read; made in Lynceus, Settings, API tokens. It sees what its sites and tags allow."
        >
          <SecretInput
            id={ids.token}
            width={60}
            placeholder="lyn_…"
            autoComplete="off"
            isConfigured={secureJsonFields?.apiToken === true}
            value={secureJsonData?.apiToken ?? ""}
            onReset={() => reset("apiToken")}
            onChange={(event: ChangeEvent<HTMLInputElement>) => setSecret("apiToken", event.currentTarget.value.trim())}
          />
        </Field>
        <br />
        <Field
          noMargin
          label="CA certificate"
          description="Where the collector made its own certificate: its authority, ca.pem of the collector's data directory. Certificates are always verified."
          invalid={badAuthority !== null}
          error={badAuthority}
        >
          <SecretTextArea
            id={ids.authority}
            cols={60}
            rows={5}
            placeholder="-----BEGIN CERTIFICATE-----"
            isConfigured={secureJsonFields?.tlsCACert === true}
            value={secureJsonData?.tlsCACert ?? ""}
            onReset={() => reset("tlsCACert", { tlsAuthWithCACert: false })}
            onChange={(event: ChangeEvent<HTMLTextAreaElement>) =>
              setSecret("tlsCACert", event.currentTarget.value, {
                tlsAuthWithCACert: event.currentTarget.value.trim() !== "",
              })
            }
          />
        </Field>
      </FieldSet>
      <FieldSet label="In panels">
        <Field
          noMargin
          label="Dashboard URL"
          description="Where links lead; empty: what the collector says"
          invalid={badDashboard}
          error={badDashboard ? `"${dashboard}" is no address; use e.g. https://lynceus.example.org` : undefined}
        >
          <Input
            id={ids.dashboard}
            width={60}
            placeholder="https://lynceus.example.org"
            value={dashboard}
            onChange={(event: ChangeEvent<HTMLInputElement>) =>
              setData({ dashboardUrl: event.currentTarget.value.trim() })
            }
          />
        </Field>
        <br />
        <Field
          noMargin
          label="Live updates"
          description="Panels may follow the collector's live feed, a WebSocket through Grafana; what stands before Grafana must let it through"
        >
          <Switch
            id={ids.live}
            value={jsonData.live !== false}
            onChange={(event: ChangeEvent<HTMLInputElement>) => setData({ live: event.currentTarget.checked })}
          />
        </Field>
      </FieldSet>
    </>
  );
}
