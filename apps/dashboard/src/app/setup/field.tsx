import { TextInput } from "@mantine/core";
import type { SetupErrors, SetupText, SetupValues } from "../../lib/setup-input.ts";
import styles from "./setup.module.css";

/** One line of text of the set-up form. */
export function Field(props: {
  name: SetupText;
  label: string;
  description: string;
  example: string;
  values: SetupValues;
  errors: SetupErrors;
}) {
  const { name, label, description, example, values, errors } = props;
  return (
    <TextInput
      name={name}
      label={label}
      description={description}
      placeholder={example}
      defaultValue={values[name]}
      error={errors[name]}
      maxLength={4096}
      autoComplete="off"
      spellCheck={false}
      classNames={{ input: styles.mono ?? "" }}
    />
  );
}
