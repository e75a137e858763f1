/** The one alphabet of names: what real issuers say is a name, and what cannot be seen, or told apart, is none. */
import { describe, expect, it } from '@jest/globals';
import { isName, NAME_CHARACTERS_MAX, nameProblem } from '../../../src/domain/name.js';
import { isWellFormed, SELECTOR_CHARACTERS_MAX } from '../../../src/domain/selector.js';
import { sessionsOf } from '../../../src/domain/hangs-on.js';

const TOKEN = 'eyJhbGciOiJFUzI1NiJ9.e30.c2ln';

describe('a name', () => {
  it.each([
    ['a branch that looks like a token', 'ci:repo:acme/app:ref:refs/heads/eyJ.x.y'],
    ['an environment that looks like a secret', 'ci:repo:acme/app:environment:token=AAAAAAAAAAAAAAAAAAAA'],
    ['a branch with all signs that git allows', 'ci:repo:acme/app:ref:refs/heads/a!"#$%&\'()+,-./;<=>@]_`{|}'],
    ['a service account of Kubernetes', 'cluster:system:serviceaccount:agents:triage'],
    ['a user of Auth0', 'people:auth0|5f7c8ec7c33c6c004bbafe82'],
    ['a user of Entra ID', 'people:AAAAAAAAAAAAAAAAAAAAAIkzqFVrSaSaFHy782bbtaQ'],
    ['an address', 'email:people/ada.lovelace+broker@acme.example'],
    ['a SPIFFE ID', 'spiffe://prod.example/ns/agents/sa/triage'],
    ['a team of two words', 'Site Reliability'],
  ])('is %s', (_, text) =>
    expect([nameProblem(text), isWellFormed({ kind: 'workload', value: text })]).toEqual([undefined, true]),
  );

  it.each([
    ['empty', '', 'is empty'],
    ['a space', ' ', 'has a space at its beginning or end, or two in a row'],
    ['with a space before it', ' agent-7', 'has a space at its beginning or end, or two in a row'],
    ['with a space behind it', 'agent-7 ', 'has a space at its beginning or end, or two in a row'],
    ['with two spaces', 'agent  7', 'has a space at its beginning or end, or two in a row'],
    ['too long', 'a'.repeat(NAME_CHARACTERS_MAX + 1), 'is longer than 2048 characters'],
    ['a token', TOKEN, 'has a token in it'],
    ['a branch that is a token', `repo:acme/app:ref:refs/heads/${TOKEN}`, 'has a token in it'],
  ])('is not %s', (_, text, problem) => expect(nameProblem(text)).toBe(problem));

  it.each([
    ['a private-use character', '\ue000'],
    ['an unassigned character', '\u0378'],
    ['the replacement character', '\ufffd'],
    ['half a character', '\ud800'],
    ['a variation selector', '\ufe0f'],
    ['a variation selector of the supplement', '\u{e0100}'],
    ['Hangul fillers', '\u3164\u115f\u1160\uffa0'],
    ['a blank of Braille', '\u2800'],
    ['a zero-width joiner', '\u200d'],
    ['a soft hyphen', '\u00ad'],
    ['a combining grapheme joiner', '\u034f'],
    ['a no-break space', '\u00a0'],
    ['an ideographic space', '\u3000'],
    ['a tab', '\t'],
    ['DEL', '\u007f'],
    ['a Cyrillic letter that looks like a Latin one', '\u0430'],
    ['a letter of full width', '\uff41'],
    ['the sign for kelvin, whose small letter is k', '\u212a'],
    ['a letter and its accent apart', 'e\u0301'],
    ['a letter and its accent in one', '\u00e9'],
  ])('has not %s', (_, character) =>
    expect(nameProblem(`agent-7${character}`)).toBe(
      'has a character other than the letters, digits and signs of ASCII',
    ),
  );

  it('is made of the 94 visible characters of ASCII, and of nothing else in Unicode', () => {
    const allowed: string[] = [];
    for (let code = 0; code <= 0x10ffff; code += 1) {
      const character = String.fromCodePoint(code);
      if (isName(character)) allowed.push(character);
    }
    expect(allowed.join('')).toBe(Array.from({ length: 94 }, (_, index) => String.fromCharCode(33 + index)).join(''));
  });

  it('may be as long as a SPIFFE ID, also where it follows a target', () => {
    const longest = `spiffe://prod.example/${'a'.repeat(NAME_CHARACTERS_MAX - 22)}`;
    expect(isWellFormed({ kind: 'workload', value: longest })).toBe(true);
    const sessions = sessionsOf('t'.repeat(NAME_CHARACTERS_MAX), longest);
    expect([sessions.length, isWellFormed({ kind: 'target', value: sessions })]).toEqual([
      SELECTOR_CHARACTERS_MAX,
      true,
    ]);
  });
});
