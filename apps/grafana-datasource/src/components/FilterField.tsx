import { css } from "@emotion/css";
import type { GrafanaTheme2 } from "@grafana/data";
import { InlineField, Input, useStyles2 } from "@grafana/ui";
import { type Completion, completionOf, quoteValue } from "@lynceus/protocol/filter-completion";
import { safeText } from "@lynceus/protocol/present";
import type { FieldValue } from "@lynceus/protocol/series";
import React, { useEffect, useId, useRef, useState } from "react";
import { filterProblem } from "../query";

interface Props {
  readonly value: string;
  readonly onChange: (q: string) => void;
  /** Values of a field under what is written besides. */
  readonly valuesOf: (field: string, q: string, contains: string) => Promise<FieldValue[]>;
}

interface Suggestion {
  /** The term that it makes of the one being typed. */
  readonly term: string;
  readonly label: string;
  readonly note: string;
}

const mostShown = 12;
const typingMs = 200;

/** The term that the caret stands in, and what is written before and after it. */
export function termAt(text: string, caret: number): { before: string; term: string; after: string } {
  let start = 0;
  let quoted = false;
  for (let i = 0; i < caret; i++)
    if (text[i] === '"') quoted = !quoted;
    else if (text[i] === " " && !quoted) start = i + 1;
  const rest = /^\S*/.exec(text.slice(caret))?.[0] ?? "";
  return {
    before: text.slice(0, start),
    term: text.slice(start, caret) + rest,
    after: text.slice(caret + rest.length),
  };
}

/** What may stand for a term: fields while none is written, then the values that machines have. */
async function suggest(completion: Completion, rest: string, valuesOf: Props["valuesOf"]): Promise<Suggestion[]> {
  if (completion.kind === "field")
    return completion.options.map(({ value, title }) => ({ term: value, label: value, note: title }));
  const { field, head, prefix } = completion;
  const values = await valuesOf(field, rest, prefix.replaceAll('"', "")).catch(() => []);
  return values.map(({ value, machines }) => ({
    term: `${head}${value === "none" || value === "unknown" ? value : quoteValue(value)}`,
    label: safeText(value),
    note: machines === null ? "" : `${machines.toLocaleString("en")} machines`,
  }));
}

/** A field for the filter language, completed as it is typed; says what is wrong with it, where, and how it would be right. */
export function FilterField({ value, onChange, valuesOf }: Props) {
  const styles = useStyles2(getStyles);
  const id = useId();
  const input = useRef<HTMLInputElement>(null);
  const [draft, setDraft] = useState(value);
  const [caret, setCaret] = useState<number | null>(null);
  const [suggestions, setSuggestions] = useState<Suggestion[]>([]);
  const [chosen, setChosen] = useState(0);
  const open = caret !== null && suggestions.length > 0;
  const problem = filterProblem(draft);

  useEffect(() => setDraft(value), [value]);
  useEffect(() => {
    if (caret === null) return setSuggestions([]);
    let over = false;
    const { before, term, after } = termAt(draft, caret);
    const timer = setTimeout(() => {
      suggest(completionOf(term), `${before}${after}`.trim(), valuesOf).then((found) => {
        if (over) return;
        setSuggestions(found.filter((one) => one.term !== term).slice(0, mostShown));
        setChosen(0);
      });
    }, typingMs);
    return () => {
      over = true;
      clearTimeout(timer);
    };
  }, [draft, caret, valuesOf]);

  const commit = (text: string) => {
    if (text !== value) onChange(text);
  };
  const accept = ({ term }: Suggestion) => {
    const at = termAt(draft, caret ?? draft.length);
    const text = `${at.before}${term}${at.after}`;
    const end = at.before.length + term.length;
    setDraft(text);
    setCaret(end);
    requestAnimationFrame(() => input.current?.setSelectionRange(end, end));
    if (!term.endsWith(":")) commit(text);
  };
  const onKeyDown = (event: React.KeyboardEvent) => {
    if (open && (event.key === "ArrowDown" || event.key === "ArrowUp")) {
      event.preventDefault();
      const by = event.key === "ArrowDown" ? 1 : -1;
      setChosen((chosen + by + suggestions.length) % suggestions.length);
    } else if (open && event.key === "Tab" && !event.shiftKey) {
      const one = suggestions[chosen];
      if (!one) return;
      event.preventDefault();
      accept(one);
    } else if (event.key === "Enter") {
      event.preventDefault();
      setCaret(null);
      commit(draft.trim());
    } else if (event.key === "Escape" && open) {
      event.stopPropagation();
      setCaret(null);
    }
  };

  return (
    <InlineField
      label="Filter"
      labelWidth={14}
      htmlFor={id}
      grow
      invalid={problem !== null}
      error={problem}
      tooltip={'Filter language of Lynceus: status:failing site:Bern,"New York" -tag:pilot since>2h. Tab completes.'}
    >
      <Box className={styles.wrapper}>
        <Input
          id={id}
          ref={input}
          invalid={problem !== null}
          role="combobox"
          aria-expanded={open}
          aria-controls={`${id}-list`}
          aria-autocomplete="list"
          aria-activedescendant={open ? `${id}-${chosen}` : undefined}
          autoComplete="off"
          spellCheck={false}
          placeholder="status:failing site:$site"
          value={draft}
          onChange={(event) => {
            setDraft(event.currentTarget.value);
            setCaret(event.currentTarget.selectionStart);
          }}
          onClick={(event) => setCaret(event.currentTarget.selectionStart)}
          onBlur={() => {
            setCaret(null);
            commit(draft.trim());
          }}
          onKeyDown={onKeyDown}
        />
        {open && (
          <div id={`${id}-list`} role="listbox" aria-label="Completions" className={styles.list}>
            {suggestions.map((one, i) => (
              <div
                key={one.term}
                id={`${id}-${i}`}
                role="option"
                // The field keeps the focus; it names the chosen one.
                tabIndex={-1}
                aria-selected={i === chosen}
                className={i === chosen ? styles.chosen : styles.option}
                // Before the field loses its focus.
                onMouseDown={(event) => {
                  event.preventDefault();
                  accept(one);
                }}
              >
                <span className={styles.label}>{one.label}</span>
                <span className={styles.note}>{one.note}</span>
              </div>
            ))}
          </div>
        )}
      </Box>
    </InlineField>
  );
}

/** InlineField gives its child properties that an element of the page does not know. */
const Box = ({ className, children }: { readonly className: string; readonly children: React.ReactNode }) => (
  <div className={className}>{children}</div>
);

const getStyles = (theme: GrafanaTheme2) => {
  const option = css({
    display: "flex",
    justifyContent: "space-between",
    gap: theme.spacing(2),
    padding: theme.spacing(0.5, 1),
    cursor: "pointer",
  });
  return {
    wrapper: css({ position: "relative", width: "100%", minWidth: 280 }),
    list: css({
      position: "absolute",
      zIndex: theme.zIndex.dropdown,
      left: 0,
      right: 0,
      maxHeight: 320,
      overflowY: "auto",
      margin: theme.spacing(0.25, 0, 0),
      padding: theme.spacing(0.5, 0),
      background: theme.colors.background.elevated,
      border: `1px solid ${theme.colors.border.medium}`,
      borderRadius: theme.shape.radius.default,
      boxShadow: theme.shadows.z2,
    }),
    option,
    chosen: css([option, { background: theme.colors.action.selected }]),
    label: css({ fontFamily: theme.typography.fontFamilyMonospace }),
    note: css({ color: theme.colors.text.secondary }),
  };
};
