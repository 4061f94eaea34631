import { execFileSync } from "node:child_process";
import { renameSync } from "node:fs";

/** A code-signing certificate in files, and where to have the time certified. */
export interface Signing {
  readonly certificate: string;
  readonly key: string;
  /** File with the key's password; null where it has none. */
  readonly passwordFile: string | null;
  /** Address of an RFC 3161 service; null leaves the signature without a time. */
  readonly timestampUrl: string | null;
}

/** What the environment says of signing, or null: then nothing is signed. */
export function signingFrom(environment: NodeJS.ProcessEnv): Signing | null {
  const certificate = environment.LYNCEUS_SIGN_CERT;
  const key = environment.LYNCEUS_SIGN_KEY;
  if (!certificate && !key) return null;
  if (!certificate || !key) throw new Error("signing needs both LYNCEUS_SIGN_CERT and LYNCEUS_SIGN_KEY, two PEM files");
  return {
    certificate,
    key,
    passwordFile: environment.LYNCEUS_SIGN_PASSWORD_FILE || null,
    timestampUrl: environment.LYNCEUS_SIGN_TIMESTAMP_URL || null,
  };
}

/**
 * Signs an executable or MSI in place, with Authenticode.
 * @param date what the signature itself gives as its time, in seconds since 1970: the same bytes give the same signature.
 */
export function sign(file: string, signing: Signing | null, description: string, date: number): void {
  if (!signing) return;
  execFileSync(
    "osslsigncode",
    [
      "sign",
      "-h",
      "sha256",
      "-certs",
      signing.certificate,
      "-key",
      signing.key,
      ...(signing.passwordFile ? ["-readpass", signing.passwordFile] : []),
      ...(signing.timestampUrl ? ["-ts", signing.timestampUrl] : []),
      "-time",
      String(date),
      "-n",
      description,
      "-in",
      file,
      "-out",
      `${file}.signed`,
    ],
    { stdio: ["ignore", "ignore", "inherit"] },
  );
  renameSync(`${file}.signed`, file);
}
