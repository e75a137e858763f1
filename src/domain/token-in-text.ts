/** Tokens where they do not belong: people paste what leaked into a reason or a selector, and those are kept and shown. */

/** A longest run of what tokens are made of. Each character is read once: a caller chooses the text, and pays for no more. */
const RUN = /[\w.-]+/g;

/** A JWS has three parts, a JWE five. */
const FEWEST_PARTS = 3;
const MOST_PARTS = 5;

/** Keys of AWS have no form of their own. They are known by their names: as AWS's tools print them, and as environments hold them. */
const NAMED_SECRET = /((?:secret_?access_?key|session_?token|\btoken)["'\\]*\s{0,8}[:=]\s{0,8}["'\\]*)[\w/+=.-]{16,}/gi;

/** Removes AWS keys, and every compact JWS or JWE, wherever it stands: its header is a JSON object, so it begins `eyJ`. */
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
