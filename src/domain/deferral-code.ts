/**
 * The form of a deferral code: a prefix that nothing else has, so that whoever finds one in a text, or searches texts for secrets, knows
 * what it is; the end of the id of its approval; and the secret. No sentence reads like one, and all of it is one word. Its first two
 * letters are no hexadecimal number: behind a "=", as in a form, mail would take that for an escape.
 */
import { ID_BODY } from './id.js';

export const DEFERRAL_CODE = String.raw`mdc_${ID_BODY}_[\w-]{43}`;

export const SECRET_BYTES = 32;

const PREFIX = 'mdc_';
const ID_PREFIX = 'apr_';
const WHOLE = new RegExp(`^${DEFERRAL_CODE}$`);
const ANYWHERE = new RegExp(DEFERRAL_CODE, 'g');

export const deferralCode = (approval: string, secret: Uint8Array): string =>
  `${PREFIX}${approval.slice(ID_PREFIX.length)}_${Buffer.from(secret).toString('base64url')}`;

/** Returns the id of the approval that a code is for; undefined for whatever has not the form of one. */
export const approvalOfCode = (text: string): string | undefined =>
  WHOLE.test(text) ? `${ID_PREFIX}${text.split('_', 2)[1] ?? ''}` : undefined;

/** Most texts have no code, and are not searched for one. */
export const holdsCode = (text: string): boolean => text.includes(PREFIX) && text.search(ANYWHERE) >= 0;

export const withoutCodes = (text: string, by: string): string =>
  text.includes(PREFIX) ? text.replace(ANYWHERE, by) : text;
