/** How long a token may live. Short is right: tokens leak through deployment tools. */
export const lifetimes = [
  { value: "1", label: "1 hour" },
  { value: "8", label: "8 hours" },
  { value: "24", label: "1 day" },
  { value: "168", label: "1 week" },
  { value: "720", label: "30 days" },
] as const;
