import { beforeAll, describe, expect, it } from '@jest/globals';
import { mkdtemp, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { exportJWK, generateKeyPair, SignJWT } from 'jose';
import { extendChain, GENESIS } from '../../../src/audit/chain.js';
import { AUDIT_HEAD_TYP } from '../../../src/audit/head.js';
import { run } from '../../../src/cli/run.js';
import { handClock } from '../../support/clock.js';

const { lines, end } = extendChain(GENESIS, ['{"event":"a"}', '{"event":"ü"}', '{"event":"c"}']);
let directory: string;

/** Runs the command on these lines; `signWith` says whose head it is. */
async function verify(
  content: string | Buffer,
  head = 'head.jws',
  { jwks = join(directory, 'jwks.json'), issuer = 'https://mayfly.example' } = {},
): Promise<{ code: number; said: string }> {
  const file = join(directory, 'export.ndjson');
  await writeFile(file, content);
  const said: string[] = [];
  const say = (text: string) => said.push(text);
  const argv = ['verify-audit', file, '--head', join(directory, head), '--jwks', jwks, '--issuer', issuer];
  const code = await run(argv, { out: say, err: say, clock: handClock() });
  return { code, said: said.join('\n') };
}

beforeAll(async () => {
  directory = await mkdtemp(join(tmpdir(), 'mayfly-audit-'));
  const [ours, theirs] = [await generateKeyPair('ES256'), await generateKeyPair('ES256')];
  const signed = (key: typeof ours.privateKey, typ: string) =>
    new SignJWT({ iss: 'https://mayfly.example', head: { ...end } })
      .setProtectedHeader({ alg: 'ES256', typ, kid: 'k' })
      .sign(key);
  await writeFile(
    join(directory, 'jwks.json'),
    JSON.stringify({ keys: [{ ...(await exportJWK(ours.publicKey)), kid: 'k' }] }),
  );
  await writeFile(join(directory, 'head.jws'), `${await signed(ours.privateKey, AUDIT_HEAD_TYP)}\n`);
  await writeFile(join(directory, 'forged.jws'), await signed(theirs.privateKey, AUDIT_HEAD_TYP));
  await writeFile(join(directory, 'token.jws'), await signed(ours.privateKey, 'at+jwt'));
});

describe('mayfly verify-audit', () => {
  it('finds a whole export whole, with or without a last newline', async () => {
    expect(await verify(`${lines.join('\n')}\n`)).toMatchObject({
      code: 0,
      said: expect.stringContaining('whole; 3 entries'),
    });
    expect(await verify(lines.join('\n'))).toMatchObject({ code: 0 });
  });

  it.each([
    ['an edit', () => lines.join('\n').replace('"a"', '"b"')],
    ['a line taken out', () => [lines[0], lines[2]].join('\n')],
    ['lines exchanged', () => [lines[1], lines[0], lines[2]].join('\n')],
    ['the end cut off', () => lines.slice(0, 2).join('\n')],
    ['a line added', () => [...lines, lines[2]].join('\n')],
    ['an empty line', () => [lines[0], '', lines[1], lines[2]].join('\n')],
    ['nothing at all', () => ''],
    [
      'one flipped bit in a character of two bytes',
      () => Buffer.from(lines.join('\n')).map((byte) => (byte === 0xbc ? 0xbd : byte)) as Buffer,
    ],
  ])('finds %s', async (_, content) => {
    const { code, said } = await verify(content());
    expect(code).toBe(1);
    expect(said).toMatch(/line \d of the log/);
  });

  it('counts lines that were written after the head, and says that it vouches for none of them', async () => {
    const later = extendChain(end, ['{"event":"d"}', '{"event":"e"}']).lines;
    const { code, said } = await verify([...lines, ...later].join('\n'));
    expect(code).toBe(0);
    expect(said).toMatch(/whole.*\n.*2 later lines are not vouched for by this head/);
  });

  it('finds a later line that stands among those the head vouches for', async () => {
    const [later] = extendChain(end, ['{"event":"d"}']).lines;
    const { code, said } = await verify([lines[0], later, lines[1], lines[2]].join('\n'));
    expect({ code, said }).toMatchObject({ code: 1, said: expect.stringContaining('cut off') });
  });

  it('takes no head of another broker, though the same keys signed it', async () => {
    expect(await verify(lines.join('\n'), 'head.jws', { issuer: 'https://other.example' })).toMatchObject({
      code: 1,
      said: expect.stringContaining('another issuer than https://other.example'),
    });
  });

  it.each(['http://mayfly.example/jwks', 'HTTP://mayfly.example/jwks', 'http://127.0.0.1.example/jwks'])(
    'takes no keys in clear text over a network: %s',
    async (jwks) => {
      expect(await verify(lines.join('\n'), 'head.jws', { jwks })).toMatchObject({
        code: 1,
        said: expect.stringContaining('https URL (http only on loopback)'),
      });
    },
  );

  it.each(['forged.jws', 'token.jws'])('takes no head but one that the broker signed as a head: %s', async (head) => {
    expect(await verify(lines.join('\n'), head)).toMatchObject({
      code: 1,
      said: expect.stringContaining('not a head signed'),
    });
  });
});
