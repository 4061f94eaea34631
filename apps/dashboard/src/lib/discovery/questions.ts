import { type Answer, askHttps } from "./https-answer.ts";
import { type Context, type Step, timed } from "./step.ts";

/** Addresses of a name that a server may be asked at. */
export function askAddresses(context: Context, host: string): Promise<{ step: Step; value: string[] }> {
  return timed<string[]>(
    context,
    `A, AAAA ${host}`,
    async () => {
      const all = await context.names.addresses(host);
      const value = all.filter(context.allowed);
      if (all.length === 0) return { outcome: "missing", answer: "no such name", value };
      if (value.length === 0)
        return { outcome: "refused", answer: `${all[0]} is an address of this server or its cloud; not asked`, value };
      return { outcome: "found", answer: more(value), value };
    },
    [],
  );
}

/** Where a service record points to. */
export function askService(
  context: Context,
  name: string,
): Promise<{ step: Step; value: { host: string; port: number }[] }> {
  return timed<{ host: string; port: number }[]>(
    context,
    `SRV ${name}`,
    async () => {
      const value = await context.names.services(name);
      return value.length === 0
        ? { outcome: "missing", answer: "no such record", value }
        : { outcome: "found", answer: more(value.map((target) => `${target.host}:${target.port}`)), value };
    },
    [],
  );
}

/** One GET without credentials to a name whose addresses were looked at before; `read` says what the answer means. */
export function askPage<T>(
  context: Context,
  target: { host: string; port: number; path: string; addresses: readonly string[]; accept?: string },
  read: (answer: Answer) => { outcome: Step["outcome"]; answer: string; value: T },
  none: T,
): Promise<{ step: Step; value: T }> {
  const port = target.port === 443 ? "" : `:${target.port}`;
  return timed(
    context,
    `GET https://${target.host}${port}${target.path}`,
    async () => {
      const answer = await askHttps({ ...target, signal: context.signal, timeoutMs: context.timeoutMs });
      const said = read(answer);
      return answer.trusted ? said : { ...said, answer: `${said.answer}; this server does not trust its certificate` };
    },
    none,
  );
}

const more = (values: readonly string[]) =>
  values.length > 1 ? `${values[0]}, +${values.length - 1}` : (values[0] ?? "");
