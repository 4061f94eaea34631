"use client";

import { type FilterError, parseFilter } from "@lynceus/protocol/filter";
import { completionOf, examplesOf, quoteValue, splitTerms, tokenParts } from "@lynceus/protocol/filter-completion";
import { formatCount, safeText } from "@lynceus/protocol/present";
import { PillsInput } from "@mantine/core";
import { type ClipboardEvent, type KeyboardEvent, type RefObject, useEffect, useId, useState } from "react";
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
  const [open, setOpen] = useState(false);
  /** The completion that Enter takes; -1: what was typed. */
  const [chosen, setChosen] = useState(-1);
  const listId = useId();
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

  const close = () => {
    setOpen(false);
    setChosen(-1);
  };
  useEffect(() => {
    if (chosen >= 0) document.getElementById(`${listId}-${chosen}`)?.scrollIntoView({ block: "nearest" });
  }, [chosen, listId]);

  const add = (text: string): boolean => {
    const parsed = parseFilter(text, { now: Date.now(), zone });
    if (parsed.errors[0]) {
      setError(parsed.errors[0]);
      return false;
    }
    setError(null);
    setDraft("");
    close();
    onChange([query, text.trim()].filter((part) => part !== "").join(" "));
    return true;
  };
  const remove = (at: number) => {
    setSelected(false);
    onChange(terms.filter((_, i) => i !== at).join(" "));
  };

  const take = (value: string) => {
    if (value.endsWith(":")) {
      setDraft(value);
      setChosen(-1);
      setOpen(true);
    } else add(value);
    inputRef.current?.focus();
  };

  const pressed = (event: KeyboardEvent<HTMLInputElement>) => {
    if (event.key !== "Backspace") setSelected(false);
    if (event.key === "ArrowDown" || event.key === "ArrowUp") {
      event.preventDefault();
      setOpen(true);
      const [from, by] = event.key === "ArrowDown" ? [chosen, 1] : [Math.max(chosen, 0), -1];
      if (options.length > 0) setChosen((from + by + options.length) % options.length);
    } else if (event.key === "Enter") {
      event.preventDefault();
      const option = open ? options[chosen] : undefined;
      if (option !== undefined) take(option.value);
      else {
        if (draft.trim() !== "") add(draft);
        close();
      }
    } else if (event.key === " " && draft.trim() !== "" && (draft.match(/"/g)?.length ?? 0) % 2 === 0) {
      event.preventDefault();
      add(draft);
    } else if (event.key === "Backspace" && draft === "" && terms.length > 0) {
      event.preventDefault();
      if (selected) remove(terms.length - 1);
      else setSelected(true);
    } else if (event.key === "Escape") {
      if (open) close();
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
  const shown = open && options.length > 0;
  return (
    <div className={styles.filter}>
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
        <div className={styles.tokens}>
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
          <PillsInput.Field
            ref={inputRef}
            className={styles.input ?? ""}
            value={draft}
            placeholder={terms.length === 0 ? "Name, or a field such as status:failing site:Manila since<2h" : ""}
            role="combobox"
            aria-label={label}
            aria-invalid={error !== null}
            aria-describedby="filter-error"
            aria-autocomplete="list"
            aria-haspopup="listbox"
            aria-expanded={shown}
            {...(shown ? { "aria-controls": listId } : {})}
            {...(shown && chosen >= 0 ? { "aria-activedescendant": `${listId}-${chosen}` } : {})}
            autoComplete="off"
            spellCheck={false}
            maxLength={512}
            onBlur={() => {
              close();
              setSelected(false);
            }}
            onChange={(event) => {
              setDraft(event.currentTarget.value);
              setError(null);
              setOpen(event.currentTarget.value !== "");
              setChosen(-1);
            }}
            onKeyDown={pressed}
            onCopy={copied}
            onPaste={pasted}
          />
        </div>
      </PillsInput>
      {shown ? (
        <div className={styles.completion} id={listId} role="listbox" aria-label="Completions">
          {options.map((option, i) => (
            <div
              key={option.value}
              id={`${listId}-${i}`}
              role="option"
              // The field keeps the focus: its arrow keys choose.
              tabIndex={-1}
              aria-selected={i === chosen}
              className={styles.option}
              onPointerDown={(event) => {
                event.preventDefault();
                take(option.value);
              }}
            >
              <span className="mono">
                <bdi>{safeText(option.label)}</bdi>
              </span>
              <span className="dim">{option.note}</span>
            </div>
          ))}
        </div>
      ) : null}
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
