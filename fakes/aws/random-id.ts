/** Identifiers as AWS makes them: a prefix that tells what it names, and sixteen characters of chance. */
import { randomInt } from 'node:crypto';

const ALPHABET = 'ABCDEFGHIJKLMNOPQRSTUVWXYZ234567';

export const randomId = (prefix: string): string =>
  prefix + Array.from({ length: 16 }, () => ALPHABET.charAt(randomInt(ALPHABET.length))).join('');
