"use client";

import { Checkbox, NativeSelect } from "@mantine/core";
import { useState } from "react";
import type { SetupErrors, SetupText, SetupValues } from "../../lib/setup-input.ts";
import { Field } from "./field.tsx";
import styles from "./setup.module.css";

/** What the organisation rolled out and trusts: what its machines are compared with. */
export function Expectations({ values, errors }: { values: SetupValues; errors: SetupErrors }) {
  const [mode, setMode] = useState(values.baselineMode);
  const text = { values, errors };
  const choice = (name: SetupText) => ({ name, defaultValue: values[name] });
  return (
    <div className={styles.fields}>
      <NativeSelect
        name="baselineMode"
        label="Proxy setting that is rolled out"
        description="Machines that have another one are told of"
        value={mode}
        onChange={(event) => setMode(event.currentTarget.value)}
        data={[
          { value: "", label: "Not declared" },
          { value: "direct", label: "No proxy" },
          { value: "auto-detect", label: "Automatically detect settings" },
          { value: "pac", label: "A script" },
          { value: "manual", label: "A proxy server" },
        ]}
      />
      <NativeSelect
        {...choice("baselineWhere")}
        label="Where it holds"
        description="Elsewhere another one is no difference"
        disabled={mode === ""}
        data={[
          { value: "everywhere", label: "Everywhere" },
          { value: "inside", label: "Inside and on VPN" },
        ]}
      />
      {mode === "pac" ? (
        <Field
          name="baselinePacUrl"
          label="Script address"
          description="As it is set on the machines"
          example="http://pac.example.org/proxy.pac"
          {...text}
        />
      ) : null}
      {mode === "manual" ? (
        <Field
          name="baselineProxy"
          label="Proxy server"
          description="Name and port"
          example="px2.example.org:8080"
          {...text}
        />
      ) : null}
      {mode === "manual" || mode === "pac" ? (
        <Field
          name="baselineBypass"
          label="The bypass list holds at least"
          description="It may hold others"
          example="*.example.org; <local>"
          {...text}
        />
      ) : null}
      <Field
        name="trustedDomains"
        label="Domains that Lync trusts"
        description="Beside the users' own, although no policy on the machine says so"
        example="example.org, example.net"
        {...text}
      />
      <Field
        name="organisationDomains"
        label="More domains of the organisation"
        description="Where its own proxies and scripts live"
        example="corp.example.org"
        {...text}
      />
      <Field
        name="wpadHosts"
        label="Hosts that may announce a script"
        description="Outside the organisation's domains"
        example="wpad.provider.example.net"
        {...text}
      />
      <Field
        name="insideSuffixes"
        label="DNS suffixes that mean inside"
        description="Without one, it is not known where a machine is"
        example="corp.example.org"
        {...text}
      />
      <Field
        name="ssoHosts"
        label="Single sign-on hosts"
        description="A redirect to one is no captive portal"
        example="login.example.org"
        {...text}
      />
      <NativeSelect
        {...choice("tenantEws")}
        label="EWS in the Exchange Online tenant"
        description="No anonymous probe can see it"
        data={[
          { value: "unknown", label: "Not declared" },
          { value: "enabled", label: "Enabled" },
          { value: "disabled", label: "Disabled" },
        ]}
      />
      <NativeSelect
        {...choice("kerberos")}
        label="Kerberos to Exchange"
        description="An SPN for its names, and a domain controller in reach"
        data={[
          { value: "unknown", label: "Not declared" },
          { value: "works", label: "Works" },
          { value: "absent", label: "Absent" },
        ]}
      />
      <NativeSelect
        {...choice("extendedProtection")}
        label="Extended Protection on Exchange"
        description="Then nothing may decrypt TLS on the way"
        data={[
          { value: "unknown", label: "Not declared" },
          { value: "on", label: "On" },
          { value: "off", label: "Off" },
        ]}
      />
      <div className={styles.checks}>
        <Checkbox
          name="mailboxInExchangeOnline"
          label="Mailboxes of these users are in Exchange Online"
          description="Their EWS is then judged there"
          defaultChecked={values.mailboxInExchangeOnline}
        />
        <Checkbox
          name="responseGroups"
          label="Response Group is in use"
          description="Its web service then counts"
          defaultChecked={values.responseGroups}
        />
        <Checkbox
          name="require5060"
          label="Plain SIP is published on purpose"
          description="Port 5060 then has to answer"
          defaultChecked={values.require5060}
        />
      </div>
    </div>
  );
}
