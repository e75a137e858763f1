import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { BROKER, newSigningKey, signToken, type SigningKey } from '../support/issuers/issuer.js';
import { serveIssuer, type IssuerSite } from '../support/issuers/site.js';
import { createLab, type Lab } from '../support/issuers/lab.js';

let lab: Lab;
let thief: SigningKey;
let thiefSite: IssuerSite;

beforeAll(async () => {
  lab = await createLab();
  thief = await newSigningKey('ES256', 'thief');
  thiefSite = await serveIssuer({ clock: lab.clock });
});
afterAll(async () => {
  lab.remove();
  await thiefSite.close();
});

const claims = () => ({
  iss: lab.issuer.url,
  sub: 'agent-1',
  aud: BROKER,
  iat: lab.clock.now() / 1000,
  exp: lab.clock.now() / 1000 + 60,
});

describe('the key is never what the token says it is', () => {
  it.each([
    ['jwk', () => ({ jwk: thief.publicJwk })],
    ['jwk under the kid of the issuer', () => ({ jwk: thief.publicJwk, kid: lab.issuer.key().kid })],
    ['jku', () => ({ jku: `${thiefSite.url}/keys`, kid: thiefSite.key().kid })],
    ['x5u', () => ({ x5u: `${thiefSite.url}/certificate.pem` })],
    ['x5c', () => ({ x5c: ['MIIB'] })],
    ['x5c that is no list', () => ({ x5c: { length: 1e9 } })],
  ])('with an embedded %s the token is refused, and no address in it is visited', async (_, header) => {
    const key = 'jku' in header() ? thiefSite.key() : thief;
    await expect(lab.present(await signToken(key, claims(), header()))).rejects.toMatchObject({
      code: 'invalid_request',
    });
    expect(thiefSite.requests).toEqual([]);
  });

  it('a jku beside a good signature is not visited either', async () => {
    await expect(
      lab.present(await lab.issuer.token({ header: { jku: `${thiefSite.url}/keys` } })),
    ).resolves.toBeDefined();
    expect(thiefSite.requests).toEqual([]);
  });
});

describe('a key id is compared, never interpreted', () => {
  it.each([
    ['a path', '../../../../dev/null'],
    ['a file', 'file:///proc/self/environ'],
    ['a URL', 'https://issuer.thief.example/keys'],
    ['SQL', "x' UNION SELECT 'secret' --"],
    ['a command', '$(id)|id;`id`'],
    ['a prototype', '__proto__'],
    ['a wildcard', '*'],
    ['empty', ''],
    ['a null byte', 'ES256-0\u0000'],
    ['huge', 'k'.repeat(9_000)],
    ['of the issuer, in capitals', 'es256-0'],
  ])('%s', async (_, kid) => {
    for (const key of [thief, lab.issuer.key()]) {
      const refusal: unknown = await lab
        .present(await signToken(key, claims(), { kid }))
        .catch((error: unknown) => error);
      expect(refusal).toMatchObject({
        code: 'invalid_request',
        message: 'The subject token names no key of its issuer.',
      });
    }
  });

  it.each([[['ES256-0']], [{ kid: 'ES256-0' }], [0], [null], [true]])('that is no text: %j', async (kid) => {
    await expect(lab.present(await signToken(lab.issuer.key(), claims(), { kid }))).rejects.toThrow(
      'key id that is not text',
    );
  });

  it("of the issuer does not lend the issuer's key to a forger", async () => {
    const token = await signToken(thief, claims(), { kid: lab.issuer.key().kid });
    await expect(lab.present(token)).rejects.toThrow('The subject token is not signed by a key of its issuer.');
  });
});
