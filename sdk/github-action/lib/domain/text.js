/**
 * Texts of strangers, before they are kept or shown. The rule is written once because a missing character class is an attack:
 * a line separator forges a line of a log, ESC drives a terminal, and a bidi override makes one name read as another.
 */
/** Control, format, surrogate, private-use and unassigned characters; line and paragraph separators. */
const UNPRINTABLE = /[\p{C}\p{Zl}\p{Zp}]/u;
const EACH = new RegExp(UNPRINTABLE, 'gu');
const RUNS = new RegExp(`${UNPRINTABLE.source}+`, 'gu');
export const hasUnprintable = (text) => UNPRINTABLE.test(text);
/** Returns the text with a question mark for each unprintable character: it shows that there was something. */
export const masked = (text) => text.replaceAll(EACH, '?');
/** Returns the text as one line to read: a space for each run of unprintable characters. */
export const oneLine = (text) => text.replaceAll(RUNS, ' ');
/** Returns JSON that says the same, with an escape for each unprintable character. */
export const escaped = (json) => json.replaceAll(EACH, (character) => character.split('').map(escape).join(''));
const escape = (unit) => `\\u${unit.charCodeAt(0).toString(16).padStart(4, '0')}`;
