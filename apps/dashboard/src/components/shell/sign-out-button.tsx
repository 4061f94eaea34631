"use client";

import { UnstyledButton } from "@mantine/core";
import type { ComponentProps } from "react";
import { Icon } from "../icon.tsx";

/** Ends this session: a form post, so that it works before any script has run. */
export function SignOutButton({ className, ...rest }: { className: string } & ComponentProps<"div">) {
  return (
    <div {...rest}>
      <form action="/api/sign-out" method="post">
        <UnstyledButton className={className} type="submit" aria-label="Sign out" w="100%">
          <Icon name="leave" />
          <span>Sign out</span>
        </UnstyledButton>
      </form>
    </div>
  );
}
