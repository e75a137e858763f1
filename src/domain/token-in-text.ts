/**
 * Tokens in text. Free text is what people and refused callers write: people paste what leaked into a reason, and reasons are
 * stored and shown. Whatever could be a token is removed from it. Names and paths are never changed; one that holds a whole token
 * is refused where it would enter (name.ts, access.ts).
 */
import { holdsCode, withoutCodes } from './deferral-code.js';
import { unwrapped } from './unwrapped.js';

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

/** No token is shorter: a signature alone has 43 characters. Most texts are, so most are read only as they are. */
const WRAPPED_FEWEST = 64;

/**
 * Returns a free text without AWS secrets, deferral codes, and compact JWS and JWE. Where one is wrapped, nobody can say where it ends in
 * the text, so nothing of the text is left.
 */
export function withoutTokens(text: string): string {
  const unsigned = withoutCodes(withoutCompact(text), REMOVED);
  const left = withoutNamed(unsigned);
  if (unsigned.length < WRAPPED_FEWEST) return left;
  // A wrapped token may stand where a named secret does. That one is taken out line by line, and the rest would be left.
  const forms = [...unwrapped(unsigned)];
  const hidesNamed = (left === unsigned ? forms : [...unwrapped(left)]).some(holdsNamed);
  return hidesNamed || forms.some(holdsToken) ? REMOVED : left;
}

const REMOVED = '[token removed]';

/** Returns the text without the secrets and tokens that stand in it unwrapped. What is wrapped in it stays. */
export const withoutPlainTokens = (text: string): string => withoutNamed(withoutCodes(withoutCompact(text), REMOVED));

const withoutNamed = (text: string): string => text.replace(NAMED_SECRET, `$1${REMOVED}`);

const holdsNamed = (text: string): boolean => text.search(NAMED_SECRET) >= 0;

/** The header of a JWS or JWE is a JSON object, so it begins with `eyJ`. */
const withoutCompact = (text: string): string => (text.includes('eyJ') ? text.replace(RUN, withoutCompactInRun) : text);

/**
 * Returns whether a deferral code, or a whole compact JWS or JWE is in the text: one whose header can be read. A branch that is called
 * `eyJ.x.y` is none. Whoever wants to hide a token from this can; it is for tokens that stand where a name should.
 */
export const holdsToken = (text: string): boolean =>
  holdsCode(text) || (text.includes('eyJ') && (text.match(RUN) ?? []).some(isTokenIn));

function isTokenIn(run: string): boolean {
  return run
    .split('.')
    .slice(0, 1 - FEWEST_PARTS)
    .some(endsInHeader);
}

/** Letters before a header, and a header itself, may have `eyJ` in them. A stranger chooses the text: only the last few are tried. */
const BEGINNINGS_MOST = 8;

function endsInHeader(part: string): boolean {
  let begins = part.lastIndexOf('eyJ');
  for (let tried = 0; begins >= 0 && tried < BEGINNINGS_MOST; tried += 1) {
    if (isHeader(part.slice(begins))) return true;
    begins = begins === 0 ? -1 : part.lastIndexOf('eyJ', begins - 1);
  }
  return false;
}

/**
 * RFC 7515 §4.1.1, RFC 7516 §4.1.1: every header is a JSON object that names an algorithm. It is not parsed: a stranger could send
 * thousands, and each one that fails costs as much as reading a page.
 */
function isHeader(part: string): boolean {
  const text = Buffer.from(part, 'base64url').toString();
  return text.includes('"alg"') && text.trimEnd().endsWith('}');
}

function withoutCompactInRun(run: string): string {
  const parts = run.split('.');
  const stored: string[] = [];
  for (let index = 0; index < parts.length; index += 1) {
    const part = parts[index] ?? '';
    const begins = parts.length - index < FEWEST_PARTS ? -1 : part.indexOf('eyJ');
    stored.push(begins < 0 ? part : `${part.slice(0, begins)}${REMOVED}`);
    if (begins >= 0) index += MOST_PARTS - 1;
  }
  return stored.join('.');
}
