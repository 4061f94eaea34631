"use client";

import { Button, PasswordInput } from "@mantine/core";
import { useEffect, useRef } from "react";
import styles from "./wall.module.css";

/** Sends the token of the address, or one that is typed, once by post; the address is emptied of it before. */
export function OpenForm({ site, refused }: { site: string; refused: boolean }) {
  const form = useRef<HTMLFormElement>(null);
  const field = useRef<HTMLInputElement>(null);
  useEffect(() => {
    const token = window.location.hash.slice(1);
    if (token === "" || field.current === null) return;
    history.replaceState(history.state, "", window.location.pathname + window.location.search);
    field.current.value = token;
    form.current?.submit();
  }, []);
  return (
    <form ref={form} method="post" action="/wall/token" className={styles.open}>
      <input type="hidden" name="site" value={site} />
      <PasswordInput
        ref={field}
        name="token"
        label="Token"
        size="lg"
        autoComplete="off"
        required
        maxLength={512}
        error={
          refused
            ? "This token does not open the wallboard: it is unknown, revoked, over its end, or for something else."
            : undefined
        }
      />
      <Button type="submit" variant="filled" size="lg">
        Open
      </Button>
    </form>
  );
}
