import { afterAll, beforeAll, expect, it } from '@jest/globals';
import { BROKER } from '../support/issuers/issuer.js';
import { createLab, type Lab } from '../support/issuers/lab.js';

let lab: Lab;

beforeAll(async () => {
  lab = await createLab();
});
afterAll(() => lab.remove());

it.each([
  ['of somebody else', 'https://tickets.example'],
  ['of somebody else beside the broker', [BROKER, 'https://tickets.example']],
  ['of the broker twice', [BROKER, BROKER]],
  ['empty', []],
  ['absent', undefined],
  ['null', null],
  ['the broker with a slash', `${BROKER}/`],
  ['the broker as a prefix', `${BROKER}.thief.example`],
  ['the broker in capitals', BROKER.toUpperCase()],
  ['the token endpoint', `${BROKER}/token`],
  ['in a nested list', [[BROKER]]],
  ['an object', { 0: BROKER, length: 1 }],
  ['several in one text', `${BROKER} https://tickets.example`],
  ['a wildcard', '*'],
])('a token with an audience %s is refused, and told which one to have', async (_, aud) => {
  await expect(lab.present(await lab.issuer.token({ aud }))).rejects.toMatchObject({
    code: 'invalid_request',
    message: expect.stringMatching(`^The subject token must have exactly the audience ${BROKER}, and no other[.;]`),
  });
});

it('a token with several audiences is told where providers take one from it', async () => {
  const asked = lab.present(await lab.issuer.token({ aud: [BROKER, 'account'] }));
  await expect(asked).rejects.toThrow(/no other; it has several: .*Keycloak.*Full scope allowed.*ZITADEL/);
});

it('an audience of one trust does not open another trust', async () => {
  const other = await createLab({ audiences: ['urn:other'] });
  await expect(other.present(await other.issuer.token({ aud: BROKER }))).rejects.toThrow(
    'exactly the audience urn:other',
  );
  other.remove();
});
