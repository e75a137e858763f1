/** Tokens are found and removed in free text, in time that grows with its length alone. */
import { runInNewContext } from 'node:vm';
import { describe, expect, it } from '@jest/globals';
import { holdsToken, withoutTokens } from '../../../src/domain/token-in-text.js';

const base64 = (text: string) => Buffer.from(text).toString('base64');
/** The JSON of a key begins as a header does. */
const header = (fields: object) => Buffer.from(JSON.stringify(fields)).toString('base64url');
const CODE = `mdc_aaaaaaaaaaaaaaaa_${'Zz9-_'.repeat(8)}abc`;
const JWS = 'eyJhbGciOiJIUzI1NiJ9.eyJzdWIiOiJhIn0.dBjftJeZ4CVP-mB92K27uhbUJU1p1r_wW1gFWFOEjXk';

describe('a token in a text', () => {
  it.each([
    ['after other letters', 'tokeneyJh.e30.sig', 'token[token removed]'],
    ['after a dotted name', 'a.b.eyJh.e30.sig', 'a.b.[token removed]'],
    ['with two parts is none', 'eyJh.e30', 'eyJh.e30'],
    ['as a JWE, of five parts', 'eyJh.a.b.c.d', '[token removed]'],
    ['before more dots', 'eyJh.a.b.c.d.e.f', '[token removed].e.f'],
    ['before another', 'eyJh.a.b.c.d.eyJh.a.b', '[token removed].[token removed]'],
    ['with empty parts', 'eyJ..', '[token removed]'],
    ['that is a deferral code', `see ${CODE}, please`, 'see [token removed], please'],
    ['that is a deferral code, before a word', `${CODE}=x`, '[token removed]=x'],
    ['that is a deferral code cut short', CODE.slice(0, -1), CODE.slice(0, -1)],
    ['of AWS, in JSON', '{"SessionToken":"IQoJb3JpZ2luX2VjE"}', '{"SessionToken":"[token removed]"}'],
    ['of AWS, in JSON in JSON', '{\\"Token\\": \\"IQoJb3JpZ2luX2VjE\\"}', '{\\"Token\\": \\"[token removed]\\"}'],
    ['of AWS, in an environment', 'AWS_SESSION_TOKEN=IQoJb3JpZ2luX2VjE//', 'AWS_SESSION_TOKEN=[token removed]'],
    [
      'of AWS, which is a secret key',
      "secret_access_key = 'wJalrXUtnFEMI/K7MDENG+'",
      "secret_access_key = '[token removed]'",
    ],
  ])('a token %s', (_, text, left) => {
    expect(withoutTokens(text)).toBe(left);
  });

  it.each([
    'eyJ',
    'eyJ.',
    'eyJ..',
    'a.',
    '.',
    'token ',
    'token"',
    'token=" ',
    'token  :',
    '%25',
    '&amp;',
    '<a ',
    'a ',
    'a\n',
    '-',
    '\u001b[1',
    'ZXlK',
    'mdc_',
    'mdc_aaaaaaaaaaaaaaaa_.',
    'JWV5SmhiR2Np',
  ])('reads %j, 200,000 characters of it, once: it takes no longer than its length', (part) => {
    const text = `${part.repeat(200_000 / part.length)}!`;
    const read = (): boolean[] => [withoutTokens(text) !== text, holdsToken(text)];
    // What goes back over the text for each character of it takes many seconds, and is stopped.
    const found: unknown = runInNewContext('[...read()]', { read }, { timeout: 3_000 });
    expect(found).toEqual([/eyJ\.{1,2}/.test(part), false]);
  });

  it.each([
    [
      'a named secret in base64',
      `see ${base64('{"SecretAccessKey": "wJalrXUtnFEMI/K7MDENG+", "of": "somebody else"}')}`,
    ],
    ['a named secret in a URL', `https://x.example/?q=${encodeURIComponent('{"SessionToken": "IQoJb3JpZ2luX2VjE"}')}`],
    ['a token in lines, behind the name of a secret', `token: ${JWS.slice(0, 30)}\n${JWS.slice(30)} ${JWS.slice(60)}`],
    ['a token behind the beginning of another', `eyJhbGciOi and ${JWS.replaceAll('.', ' . ')}, in one sentence`],
  ])('%s: nothing of the text is left', (_, text) => expect(withoutTokens(text)).toBe('[token removed]'));

  it('is taken out, wherever it stands, and nothing else is', () => {
    expect(withoutTokens('found eyJh.e30.c2ln, and "eyJh.a.b.c.d"!')).toBe(
      'found [token removed], and "[token removed]"!',
    );
    for (const text of [
      '',
      'eyJ',
      'eyJh.e30',
      'an eye. and an ear.',
      'token: lost',
      'a session token was found in a log',
      'Ask about apr_aaaaaaaaaaaaaaaa. It is the question that the agent of the other team asked on Monday, mdc_ is for codes.',
      'the token eyJhbGciOiJFUzI1 was found. I revoked it. See https://x.example/?a=%41&b=<br>, and &amp; ask, please.',
      `an image: data:image/png;base64,${'iVBORw0KGgoAAAANSUhEUg+/'.repeat(20)}`,
    ])
      expect([withoutTokens(text), holdsToken(text)]).toEqual([text, false]);
  });
});

describe('a whole token', () => {
  it.each([
    ['a JWS', 'eyJhbGciOiJFUzI1NiJ9.e30.c2ln', true],
    ['a JWE', 'eyJhbGciOiJkaXIifQ..aXY.Y2lwaGVy.dGFn', true],
    ['one behind other letters and dots', 'refs/heads/a.b.tokeneyJhbGciOiJFUzI1NiJ9.e30.c2ln.z', true],
    ['one with a key in its header', `${header({ alg: 'ES256', jwk: { kty: 'EC' } })}.e30.c2ln`, true],
    ['one of three in a text', 'eyJ.x.y and eyJhbGciOiJFUzI1NiJ9.e30.c2ln', true],
    ['a deferral code', `refs/heads/${CODE}`, true],
    ['a deferral code cut short', CODE.slice(0, -1), false],
    ['one without its signature', 'eyJhbGciOiJFUzI1NiJ9.e30', false],
    ['a branch with the first letters of one', 'refs/heads/eyJ.x.y', false],
    ['an object that names no algorithm', 'eyJhIjoxfQ.e30.c2ln', false],
    ['a secret by its name alone', 'token=AAAAAAAAAAAAAAAAAAAA', false],
  ])('%s: %s', (_, text, expected) => expect(holdsToken(text)).toBe(expected));
});
