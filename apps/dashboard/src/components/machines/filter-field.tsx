"use client";

import { type FilterError, parseFilter } from "@lynceus/protocol/filter";
import { completionOf, examplesOf, quoteValue, splitTerms, tokenParts } from "@lynceus/protocol/filter-completion";
import { formatCount, safeText } from "@lynceus/protocol/present";
import { Combobox, Pill, PillsInput, useCombobox } from "@mantine/core";
import { type ClipboardEvent, type KeyboardEvent, type RefObject, useEffect, useState } from "react";
import styles from "./machines.module.css";

interface Option {
  value: string;
  label: string;
  note: string;
}

/**
 * The one filter field: tokens, completion of fields and then of values with their counts, and errors that name
 * position, rule and example. Terms that parse stay in force.
 */
export function FilterField({
  query,
  onChange,
  zone,
  fields,
  inputRef,
  label = "Filter machines",
}: {
  query: string;
  onChange: (query: string) => void;
  zone: string;
  /** Fields that the table can be filtered by. */
  fields: readonly string[];
  inputRef: RefObject<HTMLInputElement | null>;
  /** What it filters, for who does not see it. */
  label?: string;
}) {
  const [draft, setDraft] = useState("");
  const [selected, setSelected] = useState(false);
  const [error, setError] = useState<FilterError | null>(null);
  const [values, setValues] = useState<Option[]>([]);
  const combobox = useCombobox({ onDropdownClose: () => combobox.resetSelectedOption() });
  const terms = splitTerms(query);
  const completion = completionOf(draft, fields);
  const asked = completion.kind === "value" ? completion.field : null;

  useEffect(() => {
    if (asked === null) return;
    const aborted = new AbortController();
    const address = `/machines/values?field=${encodeURIComponent(asked)}&q=${encodeURIComponent(query)}`;
    fetch(address, { signal: aborted.signal })
      .then((response) => (response.ok ? response.json() : { values: [] }))
      .then((body: { values: { value: string; machines: number | null }[] }) =>
        setValues(
          body.values.map((v) => ({
            value: v.value,
            label: v.value,
            note: v.machines === null ? "" : formatCount(v.machines),
          })),
        ),
      )
      .catch(() => setValues([]));
    return () => aborted.abort();
  }, [asked, query]);

  const options: Option[] =
    completion.kind === "field"
      ? completion.options.map((o) => ({ value: o.value, label: o.value, note: o.title }))
      : values
          .filter((v) => v.value.toLowerCase().includes(completion.prefix.replaceAll('"', "").toLowerCase()))
          .slice(0, 50)
          .map((v) => ({ ...v, value: completion.head + quoteValue(v.value) }));

  const add = (text: string): boolean => {
    const parsed = parseFilter(text, { now: Date.now(), zone });
    if (parsed.errors[0]) {
      setError(parsed.errors[0]);
      return false;
    }
    setError(null);
    setDraft("");
    combobox.closeDropdown();
    onChange([query, text.trim()].filter((part) => part !== "").join(" "));
    return true;
  };
  const remove = (at: number) => {
    setSelected(false);
    onChange(terms.filter((_, i) => i !== at).join(" "));
  };

  const pressed = (event: KeyboardEvent<HTMLInputElement>) => {
    if (event.key !== "Backspace") setSelected(false);
    if (event.key === "Enter" && combobox.getSelectedOptionIndex() === -1) {
      event.preventDefault();
      if (draft.trim() !== "") add(draft);
      combobox.closeDropdown();
    } else if (event.key === " " && draft.trim() !== "" && (draft.match(/"/g)?.length ?? 0) % 2 === 0) {
      event.preventDefault();
      add(draft);
    } else if (event.key === "Backspace" && draft === "" && terms.length > 0) {
      event.preventDefault();
      if (selected) remove(terms.length - 1);
      else setSelected(true);
    } else if (event.key === "Escape") {
      if (combobox.dropdownOpened) combobox.closeDropdown();
      else event.currentTarget.blur();
    }
  };
  const copied = (event: ClipboardEvent<HTMLInputElement>) => {
    if (draft !== "" || query === "") return;
    event.preventDefault();
    event.clipboardData.setData("text/plain", selected ? (terms.at(-1) ?? "") : query);
  };
  const pasted = (event: ClipboardEvent<HTMLInputElement>) => {
    const text = event.clipboardData.getData("text/plain").trim();
    if (!/\s|[:<>]/.test(text)) return;
    event.preventDefault();
    if (!add(draft + text)) setDraft(draft + text);
  };

  const examples = examplesOf(draft);
  return (
    <div className={styles.filter}>
      <Combobox
        store={combobox}
        position="bottom-start"
        width={360}
        offset={4}
        onOptionSubmit={(value) => {
          if (value.endsWith(":")) {
            setDraft(value);
            combobox.resetSelectedOption();
          } else {
            add(value);
            combobox.closeDropdown();
          }
          inputRef.current?.focus();
        }}
      >
        <Combobox.DropdownTarget>
          <PillsInput
            classNames={{ input: styles.bar ?? "" }}
            aria-label="Filter"
            rightSectionWidth="auto"
            rightSectionPointerEvents="none"
            rightSection={
              <span className={styles.hint}>
                {examples ? <span className={styles.examples}>{examples}</span> : null}
                <kbd>/</kbd>
              </span>
            }
          >
            <Pill.Group gap={5}>
              {terms.map((term, i) => {
                const token = tokenParts(term);
                return (
                  <button
                    // biome-ignore lint/suspicious/noArrayIndexKey: two equal terms are two tokens.
                    key={`${term}-${i}`}
                    type="button"
                    className={styles.token}
                    data-negated={token.negated}
                    data-selected={selected && i === terms.length - 1}
                    title="Remove this term"
                    aria-label={`Remove ${safeText(term)}`}
                    onClick={() => remove(i)}
                  >
                    <span>{token.field}</span>
                    <b>
                      <bdi>{safeText(token.value)}</bdi>
                    </b>
                  </button>
                );
              })}
              <Combobox.EventsTarget>
                <PillsInput.Field
                  ref={inputRef}
                  className={styles.input ?? ""}
                  value={draft}
                  placeholder={terms.length === 0 ? "Name, or a field such as status:failing site:Manila since<2h" : ""}
                  aria-label={label}
                  aria-invalid={error !== null}
                  aria-describedby="filter-error"
                  autoComplete="off"
                  spellCheck={false}
                  maxLength={512}
                  onBlur={() => {
                    combobox.closeDropdown();
                    setSelected(false);
                  }}
                  onChange={(event) => {
                    setDraft(event.currentTarget.value);
                    setError(null);
                    if (event.currentTarget.value === "") combobox.closeDropdown();
                    else combobox.openDropdown();
                    combobox.resetSelectedOption();
                  }}
                  onKeyDown={pressed}
                  onCopy={copied}
                  onPaste={pasted}
                />
              </Combobox.EventsTarget>
            </Pill.Group>
          </PillsInput>
        </Combobox.DropdownTarget>
        <Combobox.Dropdown hidden={options.length === 0} className={styles.completion ?? ""}>
          <Combobox.Options mah={320} style={{ overflowY: "auto" }}>
            {options.map((option) => (
              <Combobox.Option key={option.value} value={option.value} className={styles.option ?? ""}>
                <span className="mono">
                  <bdi>{safeText(option.label)}</bdi>
                </span>
                <span className="dim">{option.note}</span>
              </Combobox.Option>
            ))}
          </Combobox.Options>
        </Combobox.Dropdown>
      </Combobox>
      <p id="filter-error" className={styles.error} aria-live="polite">
        {error ? (
          <>
            <code>
              {safeText(draft.slice(0, error.start))}
              <u>{safeText(draft.slice(error.start, error.end))}</u>
              {safeText(draft.slice(error.end))}
            </code>{" "}
            {error.rule}; such as <code>{error.example}</code>.
            {terms.length > 0 ? (
              <>
                {" "}
                The list below still shows <code>{safeText(query)}</code>.
              </>
            ) : null}
          </>
        ) : null}
      </p>
    </div>
  );
}
