/** Tokens in free text. People paste what leaked into a reason or a selector, and those are stored and shown. */

/** A longest run of the characters of tokens. Each character is read once, because a stranger chooses the text and its length. */
const RUN = /[\w.-]+/g;

/** A JWS has three parts, a JWE five. */
const FEWEST_PARTS = 3;
const MOST_PARTS = 5;

/**
 * Secret keys of AWS have no form of their own. They are found by the names that AWS's tools and environment variables give
 * them.
 */
const NAMED_SECRET = /((?:secret_?access_?key|session_?token|\btoken)["'\\]*\s{0,8}[:=]\s{0,8}["'\\]*)[\w/+=.-]{16,}/gi;

/**
 * Returns the text without AWS secrets and without compact JWS and JWE. The header of these is a JSON object, so they begin
 * with `eyJ`.
 */
export function withoutTokens(text: string): string {
  const unnamed = text.replace(NAMED_SECRET, '$1[token removed]');
  return unnamed.includes('eyJ') ? unnamed.replace(RUN, withoutTokensInRun) : unnamed;
}

export const holdsToken = (text: string): boolean => withoutTokens(text) !== text;

function withoutTokensInRun(run: string): string {
  const parts = run.split('.');
  const stored: string[] = [];
  for (let index = 0; index < parts.length; index += 1) {
    const part = parts[index] ?? '';
    const begins = parts.length - index < FEWEST_PARTS ? -1 : part.indexOf('eyJ');
    stored.push(begins < 0 ? part : `${part.slice(0, begins)}[token removed]`);
    if (begins >= 0) index += MOST_PARTS - 1;
  }
  return stored.join('.');
}
