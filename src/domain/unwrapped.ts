/**
 * Texts that somebody pasted, without what they are wrapped in. A token is seldom found alone: it stands in a URL, in JSON or
 * HTML, in base64, in broken lines, in a log. A form that is not undone here hides a token from whoever looks for one, so there is
 * one list of forms for all who look.
 */

/** As messages name what `unwrapped` undoes. */
export const UNDONE = 'the escapes of URLs, JSON, HTML and mail, base64, tags, colours, and broken or prefixed lines';

/**
 * Yields the text with its escapes undone, and that again without the characters that no token has: as it stands, and read as
 * base64. All of it is done once more without what stands before each line. A text is read a fixed number of times, because a
 * stranger chooses it and its length.
 */
export function* unwrapped(text: string): Generator<string> {
  const plain = unescaped(text);
  for (const joined of new Set([plain, withoutPrefixes(plain), withoutSigns(plain)])) {
    yield joined;
    yield lettersOf(joined);
    for (const decoded of fromBase64(joined)) {
      const inner = unescaped(decoded);
      yield inner;
      yield lettersOf(inner);
    }
  }
}

/** A URL within a URL is encoded twice, and JSON or HTML may hold that. */
const TIMES = 3;

function unescaped(text: string): string {
  let plain = text;
  for (let time = 0; time < TIMES; time += 1) plain = plain.replaceAll(ESCAPE, characterOf);
  return plain.replaceAll(MARKUP, '');
}

/** `%2E` of URLs, `=2E` of quoted-printable mail, `\x2e`; `\u002e` and `\n` of JSON; `&#x2e;`, `&#46;` and `&amp;` of HTML. */
const ESCAPE =
  /(?:[%=]|\\x)([\da-f]{2})|\\u([\da-f]{4})|&#x([\da-f]{1,5});|&#(\d{1,6});|&(amp|lt|gt|nbsp|shy);|\\[nrt]/gi;

function characterOf(_: string, byte?: string, unit?: string, hex?: string, decimal?: string, name?: string): string {
  const code = byte ?? unit ?? hex;
  if (code !== undefined) return String.fromCodePoint(parseInt(code, 16));
  if (decimal !== undefined) return String.fromCodePoint(Number(decimal));
  return name === undefined ? '\n' : (NAMED[name.toLowerCase()] ?? '');
}

const NAMED: Readonly<Record<string, string>> = { amp: '&', lt: '<', gt: '>' };

/** Tags of HTML, which are shorter than any token, and the sequences that colour a terminal. */
const MARKUP = /<\/?[a-z][^<>]{0,80}>|(?:\p{Cc}|\^\[)\[[\d;]*[mk]/giu;

/** What stands before the last word of each line: a number, a time, the mark of a quoted mail. */
const withoutPrefixes = (text: string): string => text.replaceAll(/^.*[^\w.+/\r\n-](?=[\w.+/-])/gm, '');

/** The same with the sign that `diff` puts right before a line. A part of a token may begin with that too. */
const withoutSigns = (text: string): string => text.replaceAll(/^(?:.*[^\w.+/\r\n-])?[+-]/gm, '');

const lettersOf = (text: string): string => text.replaceAll(/[^\w.-]+/g, '');

/** Four characters stand for three bytes. What stands before the first of them is unknown, so there are four readings. */
function fromBase64(text: string): string[] {
  const letters = text.replaceAll(/[^\w+/-]+/g, '');
  return [0, 1, 2, 3].map((start) => Buffer.from(letters.slice(start), 'base64').toString('latin1'));
}
