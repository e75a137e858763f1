import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { createDoorstep } from '../../support/issuers/identity.js';
import { createIssuer, type TestIssuer } from '../../support/issuers/issuer.js';

const door = createDoorstep();
let lab: TestIssuer;

beforeAll(async () => {
  lab = await createIssuer({ clock: door.clock });
});
afterAll(() => door.remove());

const doorTo = (name: string) =>
  door.identify([{ kind: 'oidc', name: 'lab', issuer: lab.url, jwks: { file: door.file(name, lab.jwks()) } }]);

describe('a token that was proven before', () => {
  it('is not verified again: the same party is answered', async () => {
    const identify = doorTo('same.json');
    const token = await lab.token();
    const [first, second] = [await identify(token, { use: 'subject' }), await identify(token, { use: 'bearer' })];
    expect(second.party).toBe(first.party);
  });

  it('expires all the same, and says so for the use it has now', async () => {
    const identify = doorTo('expires.json');
    const token = await lab.token({ expiresInSeconds: 60 });
    await identify(token, { use: 'subject' });
    door.clock.advance(64_999);
    await expect(identify(token, { use: 'subject' })).resolves.toBeDefined();
    door.clock.advance(1);
    await expect(identify(token, { use: 'bearer' })).rejects.toMatchObject({
      code: 'invalid_token',
      message: 'The bearer token has expired.',
    });
  });

  it('is not yet valid again when the clock is set back', async () => {
    const identify = doorTo('back.json');
    const token = await lab.token({ nbf: door.clock.now() / 1000 });
    await identify(token, { use: 'subject' });
    door.clock.advance(-6_000);
    await expect(identify(token, { use: 'subject' })).rejects.toThrow('is not valid yet');
    door.clock.advance(6_000);
  });

  it('is verified again when the keys change, and refused when its key is gone', async () => {
    const identify = doorTo('changing.json');
    const token = await lab.token();
    await identify(token, { use: 'subject' });
    await lab.rotate();
    door.file('changing.json', lab.jwks());
    door.clock.advance(1_000);
    await expect(identify(token, { use: 'subject' })).rejects.toMatchObject({ code: 'invalid_request' });
  });

  it('is still judged by the type the request declares', async () => {
    const identify = doorTo('declared.json');
    const token = await lab.token();
    await identify(token, { use: 'subject' });
    const tokenType = 'urn:ietf:params:oauth:token-type:access_token';
    await expect(identify(token, { use: 'subject', tokenType })).rejects.toThrow('declared token type');
  });
});

it('a token that was refused is judged afresh: a refusal is not remembered', async () => {
  const identify = doorTo('afresh.json');
  const early = await lab.token({ nbf: door.clock.now() / 1000 + 60 });
  await expect(identify(early, { use: 'subject' })).rejects.toThrow('is not valid yet');
  door.clock.advance(60_000);
  await expect(identify(early, { use: 'subject' })).resolves.toBeDefined();
});
