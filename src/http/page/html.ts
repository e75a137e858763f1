/**
 * HTML that is made of templates. Whatever is put into one is text and is escaped, unless it is HTML that was made here: so what an
 * agent wrote can be forgotten nowhere.
 */
import { masked } from '../../domain/text.js';

/** Nobody else can make one: a string is never HTML. */
class Html {
  readonly #text: string;

  constructor(text: string) {
    this.#text = text;
  }

  toString(): string {
    return this.#text;
  }
}
export type { Html };

type Part = Html | string | number | undefined | readonly Html[];

/** The values of attributes stand between double quotes in every template. */
export function html(template: TemplateStringsArray, ...parts: readonly Part[]): Html {
  const [first = '', ...rest] = template;
  return new Html(rest.reduce((text, piece, index) => `${text}${textOf(parts[index])}${piece}`, first));
}

function textOf(part: Part): string {
  if (part === undefined) return '';
  if (part instanceof Html) return part.toString();
  if (Array.isArray(part)) return part.map((one: Part) => textOf(one)).join('');
  return escaped(String(part));
}

const ESCAPES: Readonly<Record<string, string>> = {
  '&': '&amp;',
  '<': '&lt;',
  '>': '&gt;',
  '"': '&quot;',
  "'": '&#39;',
};

/** What is not seen could say something else than what is: a bidi override makes one name read as another. It becomes a mark. */
const escaped = (text: string): string => masked(text).replaceAll(/[&<>"']/g, (character) => ESCAPES[character] ?? '');
