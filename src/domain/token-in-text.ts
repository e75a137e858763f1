/**
 * Tokens in text. Free text is what people and refused callers write: people paste what leaked into a reason, and reasons are
 * stored and shown. Whatever could be a token is removed from it. Names and paths are never changed; one that holds a whole token
 * is refused where it would enter (name.ts, access.ts).
 */

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

/**
 * Returns whether a whole compact JWS or JWE is in the text: one whose header can be read. A branch that is called `eyJ.x.y` is
 * none. Whoever wants to hide a token from this can; it is for tokens that stand where a name should.
 */
export const holdsToken = (text: string): boolean => text.includes('eyJ') && (text.match(RUN) ?? []).some(isTokenIn);

function isTokenIn(run: string): boolean {
  const parts = run.split('.');
  return parts
    .slice(0, 1 - FEWEST_PARTS)
    .some((part) => part.includes('eyJ') && isHeader(part.slice(part.indexOf('eyJ'))));
}

/** RFC 7515 §4.1.1, RFC 7516 §4.1.1: every header is a JSON object that names an algorithm. */
function isHeader(part: string): boolean {
  try {
    const header: unknown = JSON.parse(Buffer.from(part, 'base64url').toString());
    return typeof header === 'object' && header !== null && 'alg' in header;
  } catch {
    return false;
  }
}

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
