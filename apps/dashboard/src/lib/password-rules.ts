import { ZxcvbnFactory } from "@zxcvbn-ts/core";
import { adjacencyGraphs, dictionary } from "@zxcvbn-ts/language-common";
import { passwordLength } from "./password-length.ts";

/*
 * What a password must be: long, hard to guess, and not made of what everybody knows of its owner. No rules about kinds of
 * characters: they make passwords worse (NIST SP 800-63B).
 */

let kept: ZxcvbnFactory | undefined;

/** Dictionaries are read at the first password. */
function guesser(): ZxcvbnFactory {
  kept ??= new ZxcvbnFactory({ dictionary: { ...dictionary }, graphs: adjacencyGraphs });
  return kept;
}

/** Fewer guesses than this, as a power of ten, are too few: a day of ten thousand a second. */
const leastLog = 9;

/**
 * Why a password is refused, with the rule and an example; null when it is good.
 * @param about what its owner is called: name and address.
 */
export function passwordProblem(password: string, about: readonly string[]): string | null {
  const { least, most } = passwordLength;
  if (password.length < least)
    return `The password has ${password.length} characters, ${least} or more are needed; use e.g. four words.`;
  if (password.length > most) return `The password has more than ${most} characters; use e.g. four words.`;
  const known = about.flatMap((text) => text.toLowerCase().split(/[^\p{L}\p{N}]+/u)).filter((word) => word.length > 3);
  const lower = password.toLowerCase();
  const own = known.find((word) => lower.includes(word));
  if (own !== undefined)
    return `The password contains “${own}”, which is known of its owner; use e.g. four other words.`;
  const { guessesLog10 } = guesser().check(password, ["lynceus", ...known]);
  if (guessesLog10 < leastLog)
    return "The password is one of the first that are guessed: it is common, or repeats itself; use e.g. four words that do not belong together.";
  return null;
}
