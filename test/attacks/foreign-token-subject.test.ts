import { afterAll, beforeAll, expect, it } from '@jest/globals';
import { createLab, type Lab } from '../support/issuers/lab.js';

let lab: Lab;

beforeAll(async () => {
  lab = await createLab({ owner: { claim: 'team' }, claims: ['email'] });
});
afterAll(() => lab.remove());

const SPACES = 'has a space at its beginning or end, or two in a row';
const ALPHABET = 'has a character other than the letters, digits and signs of ASCII';

const UNFIT = [
  ['empty', '', 'is empty'],
  ['blank', '   ', SPACES],
  ['with a space behind it, which reads as another', 'agent-1 ', SPACES],
  ['too long', 'a'.repeat(256), 'is longer than 255 characters'],
  ['with a line break, which would forge a log line', 'agent\n{"level":"info"}', ALPHABET],
  ['with a null byte', 'agent\0', ALPHABET],
  ['with an escape sequence', 'agent\u001b[2K', ALPHABET],
  ['with a bidi override, which reads as another', 'agent\u202e1-nimda', ALPHABET],
  ['with a zero-width space', 'agent\u200b-1', ALPHABET],
  ['with a variation selector', 'agent-1\ufe0f', ALPHABET],
  ['with a Hangul filler', 'agent-1\u3164', ALPHABET],
  ['with a private-use character', 'agent-1\ue000', ALPHABET],
  ['with an unassigned character', 'agent-1\u0378', ALPHABET],
  ['with a Cyrillic letter, which reads as another', '\u0430gent-1', ALPHABET],
  ['with half a character', 'agent\ud800', ALPHABET],
  ['that is a token', 'eyJhbGciOiJFUzI1NiJ9.e30.c2ln', 'has a token in it'],
] as const;

const NOT_TEXT = 'that is not a text';
const NO_TEXT = [
  ['a list', ['agent-1'], `has a subject ${NOT_TEXT}`, `has an owning team ${NOT_TEXT}`],
  ['a number', 1, `has a subject ${NOT_TEXT}`, `has an owning team ${NOT_TEXT}`],
  ['null', null, `has a subject ${NOT_TEXT}`, `has an owning team ${NOT_TEXT}`],
  ['absent', undefined, 'must have a subject', 'must have an owning team'],
] as const;

it.each(UNFIT)('a subject %s is refused', async (_, sub, problem) => {
  await expect(lab.present(await lab.issuer.token({ sub, team: 'sre' }))).rejects.toThrow(
    `The subject token has a subject that ${problem}.`,
  );
});

it.each(UNFIT)('an owner %s is refused', async (_, team, problem) => {
  await expect(lab.present(await lab.issuer.token({ team }))).rejects.toThrow(
    `The subject token has an owning team that ${problem}.`,
  );
});

it.each(UNFIT)('an address %s is refused', async (_, email, problem) => {
  await expect(lab.present(await lab.issuer.token({ team: 'sre', email }))).rejects.toThrow(
    `The subject token has an e-mail address that ${problem}.`,
  );
});

it.each(NO_TEXT)('a subject or an owner that is %s is refused', async (_, claim, subject, owner) => {
  await expect(lab.present(await lab.issuer.token({ sub: claim, team: 'sre' }))).rejects.toThrow(subject);
  await expect(lab.present(await lab.issuer.token({ team: claim }))).rejects.toThrow(owner);
});
