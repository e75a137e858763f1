import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { BROKER, signToken } from '../support/issuers/issuer.js';
import { createLab, type Lab } from '../support/issuers/lab.js';

let lab: Lab;
let now: number;

beforeAll(async () => {
  lab = await createLab();
  now = lab.clock.now() / 1000;
});
afterAll(() => lab.remove());

/** JSON as written: what JSON.stringify would not produce. */
const written = (times: string) =>
  signToken(lab.issuer.key(), `{"iss":"${lab.issuer.url}","sub":"agent-1","aud":"${BROKER}"${times}}`);

describe('a token lives only as long as a plain number says', () => {
  it.each([
    ['absent', ''],
    ['null', ',"exp":null'],
    ['text', ',"exp":"4102444800"'],
    ['a word', ',"exp":"never"'],
    ['infinite', ',"exp":1e999'],
    ['minus infinite', ',"exp":-1e999'],
    ['astronomic', ',"exp":1e300'],
    ['in milliseconds', ',"exp":1893456000000'],
    ['negative', ',"exp":-1'],
    ['a list', ',"exp":[4102444800]'],
    ['an object', ',"exp":{"valueOf":4102444800}'],
    ['true', ',"exp":true'],
  ])('exp %s', async (_, times) => {
    await expect(lab.present(await written(times))).rejects.toThrow(/must (say when it expires|give exp as a number)/);
  });

  it.each(['nbf', 'iat'])('%s that is no number', async (claim) => {
    for (const value of ['"0"', 'null', '1e999', '[]']) {
      await expect(lab.present(await written(`,"exp":${now + 60},"${claim}":${value}`))).rejects.toThrow(
        `must give ${claim}`,
      );
    }
  });

  it('no JSON has NaN', async () => {
    await expect(lab.present(await written(',"exp":NaN'))).rejects.toMatchObject({ code: 'invalid_request' });
  });
});

describe('at the edge, with 5 seconds of skew', () => {
  it.each([
    ['expired 4 s ago', { exp: -4 }, undefined],
    ['expired 5 s ago', { exp: -5 }, 'has expired'],
    ['valid in 5 s', { nbf: 5 }, undefined],
    ['valid in 6 s', { nbf: 6 }, 'is not valid yet'],
    ['issued in 5 s', { iat: 5 }, undefined],
    ['issued in 6 s, which no cutoff would reach', { iat: 6 }, 'was issued in the future'],
    ['issued eight hours ago', { iat: -28_800 }, undefined],
    [
      'issued longer ago than a cutoff is remembered',
      { iat: -28_801 },
      'is too old; present one issued within the last 28800 seconds',
    ],
  ])('a token %s', async (_, offsets, refusal) => {
    const claims = Object.fromEntries(Object.entries(offsets).map(([claim, offset]) => [claim, now + offset]));
    const presented = lab.present(await lab.issuer.token(claims));
    if (refusal === undefined) await expect(presented).resolves.toBeDefined();
    else await expect(presented).rejects.toThrow(`The subject token ${refusal}.`);
  });

  it.each([60, 86_400])(
    'a token of an issuer whose tokens may be %d s old is that old at most, also when cached',
    async (most) => {
      const other = await createLab({ proofAgeMax: most });
      const token = await other.issuer.token({
        iat: other.clock.now() / 1000 - most,
        exp: other.clock.now() / 1000 + 900,
      });
      await expect(other.present(token)).resolves.toBeDefined();
      other.clock.advance(1_000);
      await expect(other.present(token)).rejects.toThrow(
        `is too old; present one issued within the last ${most} seconds.`,
      );
      other.remove();
    },
  );
});
