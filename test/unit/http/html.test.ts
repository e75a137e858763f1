/** What is put into a page is text: whoever wrote it, and whatever it looks like. */
import { describe, expect, it } from '@jest/globals';
import fc from 'fast-check';
import { masked } from '../../../src/domain/text.js';
import { html } from '../../../src/http/page/html.js';

const CHARACTERS: Record<string, string> = { amp: '&', lt: '<', gt: '>', quot: '"', '#39': "'" };
const read = (escaped: string): string =>
  escaped.replaceAll(/&([^;]+);/g, (whole, name: string) => CHARACTERS[name] ?? whole);

const anything = fc.oneof(
  fc.string({ unit: 'binary' }),
  fc.string({
    unit: fc.constantFrom('<', '>', '"', "'", '&', '&lt;', 'a', '/', '=', '`', '\u202e', '\u2028', '\0', '\n'),
  }),
);

describe('HTML made of a template', () => {
  it('reads as the text that was put in, in an element and in an attribute', () => {
    fc.assert(
      fc.property(anything, (text) => {
        const made = String(html`<p title="${text}">${text}</p>`);
        const [, title = '', body = ''] = /^<p title="([^"]*)">([^<>]*)<\/p>$/.exec(made) ?? [];
        expect([read(title), read(body)]).toEqual([masked(text), masked(text)]);
      }),
    );
  });

  it('shows that there was what cannot be seen: it could make one name read as another', () => {
    expect(String(html`${'ann\u202egpj\u200b\r\n\u2028'}`)).toBe('ann?gpj????');
  });

  it('takes HTML that was made here as it is, alone and in lists, and leaves out what is not there', () => {
    const items = ['<a>', 'b'].map((one) => html`<li>${one}</li>`);
    // The template may be laid out in lines: between tags that changes nothing.
    const made = String(
      html`<ul>
          ${items}
        </ul>
        ${undefined}${7}`,
    );
    expect(made.replaceAll(/\n */g, '')).toBe('<ul><li>&lt;a&gt;</li><li>b</li></ul>7');
  });

  it('takes nothing for HTML that only looks like it', () => {
    const forged = { toString: () => '<script>', text: '<script>' } as unknown as string;
    expect(String(html`${[forged] as never}`)).not.toContain('<script>');
    expect(String(html`${forged}`)).not.toContain('<script>');
  });
});
