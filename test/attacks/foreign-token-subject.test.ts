import { afterAll, beforeAll, expect, it } from '@jest/globals';
import { createLab, type Lab } from '../support/issuers/lab.js';

let lab: Lab;

beforeAll(async () => {
  lab = await createLab({ owner: { claim: 'team' } });
});
afterAll(() => lab.remove());

const UNFIT = [
  ['empty', ''],
  ['blank', '   '],
  ['too long', 'a'.repeat(256)],
  ['with a line break, which would forge a log line', 'agent\n{"level":"info"}'],
  ['with a null byte', 'agent\0'],
  ['with an escape sequence', 'agent\u001b[2K'],
  ['with a bidi override, which reads as another', 'agent\u202e1-nimda'],
  ['with a zero-width space', 'agent\u200b-1'],
  ['with half a character', 'agent\ud800'],
  ['a list', ['agent-1']],
  ['a number', 1],
  ['null', null],
  ['absent', undefined],
] as const;

it.each(UNFIT)('a subject %s is refused', async (_, sub) => {
  await expect(lab.present(await lab.issuer.token({ sub, team: 'sre' }))).rejects.toThrow(
    'The subject token must have a subject of 1 to 255 visible characters.',
  );
});

it.each(UNFIT)('an owner %s is refused', async (_, team) => {
  await expect(lab.present(await lab.issuer.token({ team }))).rejects.toThrow(
    'lacks the claim that names the owning team',
  );
});
