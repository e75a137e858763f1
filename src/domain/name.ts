/**
 * Names: the one alphabet of whatever can be revoked by what it is called. Subjects, owners, groups and addresses in tokens,
 * the values of selectors, and the names in queries, signals, commands, policies and the configuration all keep to it. So what
 * the door takes can be revoked, found and printed as it is, and what cannot is refused at the door (decision 0021).
 */
import { holdsToken } from './token-in-text.js';

/** SPIFFE-ID §2.3: an id has at most 2,048 bytes. No other name of a party is longer. */
export const NAME_CHARACTERS_MAX = 2_048;

/** OpenID Connect Core §2: a `sub` has at most 255 ASCII characters. Owners, groups and addresses in a token have no more. */
export const CLAIM_CHARACTERS_MAX = 255;

/**
 * The visible characters of ASCII, and the space. Nothing else: two of these never look alike only because one is a letter of
 * another script, has a mark that the font does not draw, or takes no room at all.
 */
const ALPHABET = /^[\x20-\x7e]*$/;

/** A space that is hard to see, or to count. */
const STRAY_SPACE = /^ | $| {2}/;

/** Returns what is wrong with a name, as the end of a sentence ("The subject …"), or undefined if nothing is. */
export function nameProblem(text: string, most = NAME_CHARACTERS_MAX): string | undefined {
  if (text === '') return 'is empty';
  if (text.length > most) return `is longer than ${most} characters`;
  if (!ALPHABET.test(text)) return 'has a character other than the letters, digits and signs of ASCII';
  if (STRAY_SPACE.test(text)) return 'has a space at its beginning or end, or two in a row';
  // The log prints names as they are. It would keep a secret for years, and the only party lost here is one named like a secret.
  if (holdsToken(text)) return 'has a token in it';
  return undefined;
}

export const isName = (text: string, most?: number): boolean => nameProblem(text, most) === undefined;
