"use client";

import type { Access } from "@lynceus/protocol/access";
import { AppShell, UnstyledButton } from "@mantine/core";
import dynamic from "next/dynamic";
import Link from "next/link";
import { usePathname } from "next/navigation";
import { type ReactNode, useState } from "react";
import { Icon } from "../icon.tsx";
import { Mark } from "../mark.tsx";
import { useLive } from "./live.tsx";
import { NotLiveBanner } from "./not-live-banner.tsx";
import { isOn, type ShellPage, shellPages } from "./pages.ts";
import { palette } from "./palette.ts";
import styles from "./shell.module.css";
import { SignOutButton } from "./sign-out-button.tsx";
import { useScheme } from "./use-scheme.ts";
import { useShellKeys } from "./use-shell-keys.ts";

/** Loaded when the page itself is there. */
const GoTo = dynamic(() => import("./go-to.tsx").then((file) => file.GoTo), { ssr: false });
/** Loaded when somebody asks for it. */
const KeyHelp = dynamic(() => import("./key-help.tsx").then((file) => file.KeyHelp), { ssr: false });

/** The machines table needs the width: there the sidebar is a rail unless asked otherwise. */
const startsAsRail = (path: string) => path === "/machines";
/** On the widest screens too; other pages end where lines and columns would be too far apart. */
const takesAllWidth = (path: string) => path === "/machines" || path.startsWith("/machines/views/");

/** Sidebar, phone dock, go-to palette and keys around a page. */
export function AppFrame(props: {
  user: { name: string; access: Access };
  /** How many there are on a page, by its address: open incidents, silences in force. */
  counts: Readonly<Record<string, number>>;
  children: ReactNode;
}) {
  const { user, counts, children } = props;
  const { access } = user;
  const path = usePathname();
  const live = useLive();
  const scheme = useScheme();
  const [asked, setAsked] = useState<{ path: string; rail: boolean } | null>(null);
  const [help, setHelp] = useState<boolean | null>(null);
  const rail = asked?.path === path ? asked.rail : startsAsRail(path);
  useShellKeys(access, {
    goTo: palette.open,
    toggleSidebar: () => setAsked({ path, rail: !rail }),
    toggleScheme: scheme.toggle,
    showHelp: () => setHelp(true),
  });

  return (
    <AppShell
      navbar={{ width: rail ? 52 : 204, breakpoint: "sm", collapsed: { mobile: true } }}
      padding={0}
      transitionDuration={0}
      className={styles.shell ?? ""}
    >
      <a className={styles.skip} href="#main">
        Skip to content
      </a>
      <AppShell.Navbar className={styles.nav ?? ""} data-rail={rail} aria-label="Main">
        <Link className={styles.brand} href="/">
          <Mark />
          <span>Lynceus</span>
        </Link>
        <UnstyledButton className={styles.goTo ?? ""} onClick={palette.open} data-tip="Go to… (Ctrl K)">
          <Icon name="search" />
          <span>Go to…</span>
          <kbd>Ctrl K</kbd>
        </UnstyledButton>
        {pagesOf("main", access).map((page) => (
          <NavItem key={page.href} page={page} path={path} count={counts[page.href] ?? 0} />
        ))}
        <h3>Operate</h3>
        {pagesOf("operate", access).map((page) => (
          <NavItem key={page.href} page={page} path={path} count={counts[page.href] ?? 0} />
        ))}
        <div className={styles.foot}>
          <UnstyledButton
            className={styles.item ?? ""}
            onClick={scheme.toggle}
            aria-pressed={scheme.dark}
            data-tip="Dark mode (Shift D)"
          >
            <Icon name="scheme" />
            <span>Dark mode</span>
            <kbd>Shift D</kbd>
          </UnstyledButton>
          <UnstyledButton className={styles.item ?? ""} onClick={() => setHelp(true)} data-tip="Keys (?)">
            <Icon name="keys" />
            <span>Keys</span>
            <kbd>?</kbd>
          </UnstyledButton>
          <Link className={styles.item} href="/settings/account" data-tip={`${user.name}, ${access.role}`}>
            <Icon name="person" />
            <span className={styles.userName}>
              <bdi>{user.name}</bdi>
            </span>
            <span className={styles.side}>{access.role}</span>
          </Link>
          <SignOutButton className={styles.item ?? ""} />
        </div>
      </AppShell.Navbar>

      <AppShell.Main
        id="main"
        tabIndex={-1}
        className={styles.main ?? ""}
        data-live={live.state}
        data-wide={takesAllWidth(path)}
      >
        <NotLiveBanner />
        {children}
      </AppShell.Main>

      <nav className={styles.dock} aria-label="Main, phone">
        {docked(access).map((page) => (
          <Link key={page.href} href={page.href} {...current(page, path)}>
            <Icon name={page.icon} size={18} />
            {page.title}
          </Link>
        ))}
        <button type="button" onClick={palette.open}>
          <Icon name="search" size={18} />
          Go to
        </button>
      </nav>

      <GoTo access={access} />
      {help === null ? null : <KeyHelp access={access} opened={help} onClose={() => setHelp(false)} />}
    </AppShell>
  );
}

function NavItem(props: { page: ShellPage; path: string; count: number }) {
  const { page, path, count } = props;
  const name = count > 0 ? `${page.title}, ${count}` : page.title;
  return (
    <Link className={styles.item} href={page.href} data-tip={name} {...current(page, path)}>
      <Icon name={page.icon} />
      <span>{page.title}</span>
      {count > 0 ? <span className={styles.side}>{count}</span> : null}
    </Link>
  );
}

const pagesOf = (group: ShellPage["group"], access: Access) =>
  shellPages(access).filter((page) => page.group === group);

const docked = (access: Access) => shellPages(access).filter((page) => page.dock);

const current = (page: ShellPage, path: string) => (isOn(page.href, path) ? { "aria-current": "page" as const } : {});
