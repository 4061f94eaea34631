import { expect, it } from "vitest";
import { isLoginFormPath } from "../src/login-form.ts";

it.each(["/owa/auth/logon.aspx", "/CookieAuth.dll", "/my.policy", "/adfs/ls/"])("%s is a log-in form", (path) => {
  expect(isLoginFormPath(path)).toBe(true);
});

it.each(["/", "/EWS/Exchange.asmx", "/autodiscover/autodiscover.xml", "/owa/"])("%s is none", (path) => {
  expect(isLoginFormPath(path)).toBe(false);
});
