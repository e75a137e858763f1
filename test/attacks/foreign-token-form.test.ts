import { sign, KeyObject } from 'node:crypto';
import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import * as fc from 'fast-check';
import { BROKER, forgeToken, signToken } from '../support/issuers/issuer.js';
import { createLab, type Lab } from '../support/issuers/lab.js';

let lab: Lab;
let token: string;

beforeAll(async () => {
  lab = await createLab();
  token = await lab.issuer.token();
  await lab.present(token);
});
afterAll(() => lab.remove());

const refused = { name: 'BrokerError', code: 'invalid_request' };
const claims = () =>
  `"iss":"${lab.issuer.url}","sub":"agent-1","aud":"${BROKER}","iat":${lab.clock.now() / 1000},"exp":${lab.clock.now() / 1000 + 60}`;

describe('a good token has one spelling', () => {
  it.each<[string, (good: string) => string]>([
    ['padding', (good) => `${good}==`],
    ['padding inside', (good) => good.replace('.', '=.')],
    ['a trailing dot', (good) => `${good}.`],
    ['a leading dot', (good) => `.${good}`],
    ['a line break behind it', (good) => `${good}\n`],
    ['space around it', (good) => ` ${good} `],
    ['a line break inside', (good) => good.replace('.', '.\n')],
    ['two parts', (good) => good.split('.').slice(0, 2).join('.')],
    ['no signature', (good) => `${good.split('.').slice(0, 2).join('.')}.`],
    ['four parts', (good) => `${good}.AAAA`],
    ['five parts, like a JWE', (good) => `${good}.AAAA.AAAA`],
    ['the base64 alphabet', (good) => `${good.slice(0, -2)}+/`],
    ['a null byte', (good) => `${good}\0`],
    ['a scheme before it', (good) => `Bearer ${good}`],
    ['JSON serialisation', (good) => JSON.stringify({ payload: good.split('.')[1] })],
  ])('not with %s', async (_, change) => {
    await expect(lab.present(change(token))).rejects.toThrow('is not a signed JWT in compact form');
  });

  it('not with other bits where the last character has some to spare', async () => {
    const [last] = token.slice(-1);
    const alphabet = 'ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_';
    const sibling = alphabet[alphabet.indexOf(last!) ^ 1]!;
    await expect(lab.present(token.slice(0, -1) + sibling)).rejects.toThrow('is not encoded as base64url');
  });

  it('not with a bit of its claims or signature turned', async () => {
    const [header, payload, signature] = token.split('.') as [string, string, string];
    const richer = Buffer.from(Buffer.from(payload, 'base64url').toString().replace('agent-1', 'admin-1')).toString(
      'base64url',
    );
    await expect(lab.present(`${header}.${richer}.${signature}`)).rejects.toThrow('not signed by a key of its issuer');
    const torn = `${signature[0] === 'A' ? 'B' : 'A'}${signature.slice(1)}`;
    await expect(lab.present(`${header}.${payload}.${torn}`)).rejects.toThrow('not signed by a key of its issuer');
  });
});

describe('what is inside is an object, read once', () => {
  it('of a claim written twice the last one counts, for every check and for the identity', async () => {
    const twice = await signToken(lab.issuer.key(), `{"sub":"admin","iss":"https://stranger.example",${claims()}}`);
    expect((await lab.present(twice)).party.id).toBe('lab:agent-1');
    const reversed = await signToken(lab.issuer.key(), `{${claims()},"iss":"https://stranger.example"}`);
    await expect(lab.present(reversed)).rejects.toThrow('comes from no issuer');
  });

  it('inherited claims are no claims', async () => {
    const text = `{"__proto__":{${claims()}}}`;
    await expect(lab.present(await signToken(lab.issuer.key(), text))).rejects.toMatchObject(refused);
  });

  it.each(['[]', 'null', '"text"', '1', '', '{', '{}garbage', '{"sub":}', '[[[['])(
    'claims %j are refused',
    async (text) => {
      await expect(lab.present(forgeToken({ alg: 'ES256' }, text, () => 'AAAA'))).rejects.toMatchObject(refused);
    },
  );

  it('bytes that are no UTF-8 are refused', async () => {
    const broken = Buffer.from('7b22737562223a22ff227d', 'hex').toString('base64url');
    const [header, , signature] = token.split('.');
    await expect(lab.present([header, broken, signature].join('.'))).rejects.toThrow('does not hold two JSON objects');
  });

  it('JSON as deep as the size limit allows is refused without a crash', async () => {
    for (const [open, close] of [
      ['[', ']'],
      ['{"a":', '}'],
    ] as const) {
      const depth = Math.floor(11_000 / (open.length + close.length));
      const deep = `{${claims()},"x":${open.repeat(depth)}1${close.repeat(depth)}}`;
      await expect(lab.present(forgeToken({ alg: 'ES256' }, deep, () => 'AAAA'))).rejects.toMatchObject(refused);
    }
  });
});

describe('no extension is taken for understood', () => {
  it.each([[['b64']], [['exp']], [[]], ['exp'], [null]])('crit %j', async (crit) => {
    const { privateKey, kid } = lab.issuer.key();
    const key = { key: KeyObject.from(privateKey), dsaEncoding: 'ieee-p1363' as const };
    const header = { alg: 'ES256', kid, crit, b64: true, exp: 1 };
    const honest = forgeToken(header, `{${claims()}}`, (input) => sign('sha256', Buffer.from(input), key));
    await expect(lab.present(honest)).rejects.toThrow('demands a header extension');
  });
});

describe('size is bounded before anything is done with the token', () => {
  it('one byte more than 16 KiB is refused, even of a good token', async () => {
    const bare = (await lab.issuer.token({ padding: '' })).length;
    const roomy = await lab.issuer.token({ padding: 'x'.repeat(Math.floor(((16_384 - bare) * 3) / 4) - 4) });
    expect(roomy.length).toBeLessThanOrEqual(16_384);
    await expect(lab.present(roomy)).resolves.toBeDefined();
    const large = await lab.issuer.token({ padding: 'x'.repeat(13_000) });
    await expect(lab.present(large)).rejects.toThrow('The subject token is larger than 16 KiB.');
  });

  it('megabytes are refused by their length alone', async () => {
    await expect(lab.present('a'.repeat(50_000_000))).rejects.toThrow('is larger than 16 KiB');
  });
});

it('whatever is presented, the answer is one sentence that repeats none of it', async () => {
  const segment = fc.oneof(
    fc.json().map((text) => Buffer.from(text).toString('base64url')),
    fc.string({ unit: 'binary' }),
    fc.constantFrom(...token.split('.')),
  );
  const anything = fc.oneof(
    fc.string({ unit: 'binary' }),
    fc.array(segment, { maxLength: 5 }).map((parts) => parts.join('.')),
  );
  await fc.assert(
    fc.asyncProperty(
      anything.filter((text) => text !== token),
      async (text) => {
        const refusal: unknown = await lab.present(text).catch((error: unknown) => error);
        expect(refusal).toMatchObject(refused);
        expect((refusal as Error).message).toMatch(/^The subject token [\x20-\x7e]{1,120}\.$/);
      },
    ),
    { numRuns: 500 },
  );
});
