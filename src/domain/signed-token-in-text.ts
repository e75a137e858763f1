/**
 * The broker's own tokens in a text that somebody found: in a header, a URL, JSON, quotes, a mail. Each form of wrapping is
 * undone by itself, because a wrapped token that is not found would stay alive. Whether a candidate is a token, its signature
 * decides.
 */

/**
 * A JWS that this broker signed: its header begins with `{"alg":"ES25`, its payload is a JSON object, and its signature has exactly
 * 86 characters, so that whatever stands right behind it is no part of it. The lookahead finds candidates that begin within each
 * other. The header is bounded, so the work grows with the length of the text alone.
 */
const CANDIDATE = /(?=(eyJhbGciOiJFUzI1[\w-]{1,253}\.eyJ[\w-]+\.[\w-]{86}))/g;

/** A text has few tokens in it. Each candidate costs a verification, and a stranger chooses the text. */
export const CANDIDATES_MOST = 8;

/**
 * Returns what may be tokens of this broker, as they were before somebody wrapped them. If there are more than CANDIDATES_MOST, it
 * returns one more than that: the caller must not say that it has looked at all.
 */
export function signedTokensIn(text: string): string[] {
  const found = new Set<string>();
  for (const form of forms(text)) {
    for (const [, token = ''] of form.matchAll(CANDIDATE)) {
      found.add(token);
      if (found.size > CANDIDATES_MOST) return [...found];
    }
  }
  return [...found];
}

/** Yields the text as it is, and with each kind of wrapping undone. */
function* forms(text: string): Generator<string> {
  yield text;
  // A URL within a URL is encoded twice.
  const decoded = unescaped(percentDecoded(percentDecoded(text)));
  if (decoded !== text) yield decoded;
  for (const [, credentials = ''] of decoded.matchAll(BASIC))
    yield Buffer.from(credentials, 'base64').toString('latin1');
  // A line that was broken, quoted in a mail or concatenated: no character is left that a token does not have.
  yield decoded.replaceAll(/\\[nrt]/g, '').replaceAll(/[^\w.-]+/g, '');
}

/** RFC 7617: user and password, in base64. */
const BASIC = /\bbasic\s{1,8}([\w+/-]{100,})/gi;

const percentDecoded = (text: string): string =>
  text.replaceAll(/%([2-7][\da-f])/gi, (_, hex: string) => String.fromCharCode(parseInt(hex, 16)));

/** Undoes the escapes of JSON that stand for characters of a token. */
const unescaped = (text: string): string =>
  text.replaceAll(/\\u00([2-7][\da-f])/gi, (_, hex: string) => String.fromCharCode(parseInt(hex, 16)));
