"use client";

import { UnstyledButton } from "@mantine/core";
import { Icon } from "../icon.tsx";

/** Ends this session: a form post, so that it works before any script has run. */
export function SignOutButton({ className }: { className: string }) {
  return (
    <form action="/api/sign-out" method="post">
      <UnstyledButton className={className} type="submit" data-tip="Sign out" w="100%">
        <Icon name="leave" />
        <span>Sign out</span>
      </UnstyledButton>
    </form>
  );
}
