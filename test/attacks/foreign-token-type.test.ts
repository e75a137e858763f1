import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { createLab, type Lab } from '../support/issuers/lab.js';

let lab: Lab;
let people: Lab;

beforeAll(async () => {
  lab = await createLab();
  people = await createLab({ represents: 'person' });
});
afterAll(() => {
  lab.remove();
  people.remove();
});

const OTHER_PURPOSES = [
  'secevent+jwt',
  'dpop+jwt',
  'logout+jwt',
  'token-introspection+jwt',
  'txntoken+jwt',
  'oauth-id-jag+jwt',
  'statuslist+jwt',
  'wit+jwt',
  'wpt+jwt',
  'application/secevent+jwt',
  'JWT ',
  ' jwt',
  'JWT, at+jwt',
  '',
];

describe('a JWT that its issuer made for another purpose is no identity', () => {
  it.each([...OTHER_PURPOSES, 'at+jwt', 'application/at+jwt'])('of a workload: %j', async (typ) => {
    const token = await lab.issuer.token({ header: { typ } });
    await expect(lab.present(token)).rejects.toThrow('is of a type that is not taken as proof of identity');
  });

  it.each(OTHER_PURPOSES)('of a person: %j', async (typ) => {
    const token = await people.issuer.token({ header: { typ } });
    await expect(people.present(token)).rejects.toThrow('is of a type that is not taken as proof of identity');
  });

  it.each([[['JWT']], [null], [1], [{}]])('nor one whose type is no text: %j', async (typ) => {
    await expect(lab.present(await lab.issuer.token({ header: { typ } }))).rejects.toMatchObject({
      code: 'invalid_request',
    });
  });
});
