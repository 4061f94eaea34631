import { DeadlineError } from "./deadline.ts";

/** The system's or OpenSSL's word of an error, such as `ECONNREFUSED`; `""` when it has none. */
export function codeOf(error: unknown): string {
  return error instanceof Error && "code" in error && typeof error.code === "string" ? error.code : "";
}

/** How a connection ended, in the words that several phases share. */
export function connectionError(error: unknown): "timeout" | "reset" | "refused" | "unreachable" | "other" {
  if (error instanceof DeadlineError) return "timeout";
  switch (codeOf(error)) {
    case "ECONNREFUSED":
      return "refused";
    case "ETIMEDOUT":
      return "timeout";
    case "ECONNRESET":
    case "EPIPE":
    case "ECONNABORTED":
      return "reset";
    case "EHOSTUNREACH":
    case "ENETUNREACH":
    case "EHOSTDOWN":
    case "ENETDOWN":
    case "EADDRNOTAVAIL":
      return "unreachable";
    default:
      return "other";
  }
}
