import { type WindowsMachine, windowsMachine } from "./windows/machine.ts";

/**
 * This machine where it is Windows: its registry and calls, or why they cannot be used; null on every other system, where
 * the addon that makes the calls is never loaded.
 * @param scope `all` for the service, which speaks of every signed-in user; `self` for a console.
 */
export function thisWindows(scope: WindowsMachine["scope"]): WindowsMachine | { readonly why: string } | null {
  if (process.platform !== "win32") return null;
  try {
    return windowsMachine(scope);
  } catch (error) {
    return { why: `the system's calls cannot be used: ${(error as Error).message}`.slice(0, 256) };
  }
}
