/** Ids in the form of AWS: a prefix for the kind of thing, and sixteen random characters. */
import { randomInt } from 'node:crypto';

const ALPHABET = 'ABCDEFGHIJKLMNOPQRSTUVWXYZ234567';

export const randomId = (prefix: string): string =>
  prefix + Array.from({ length: 16 }, () => ALPHABET.charAt(randomInt(ALPHABET.length))).join('');
