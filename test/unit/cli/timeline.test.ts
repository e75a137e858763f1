/** `mayfly timeline` prints lines for people. A server that is no broker can neither forge a line nor keep it asking for ever. */
import { createServer } from 'node:http';
import { once } from 'node:events';
import { writeFileSync } from 'node:fs';
import type { AddressInfo } from 'node:net';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { run } from '../../../src/cli/run.js';
import { sinceText } from '../../../src/cli/timeline-lines.js';
import { handClock } from '../../support/clock.js';
import { temporaryDirectory } from '../../support/directory.js';

const TOKEN = 'header.payload.signature';
const directory = temporaryDirectory();
const tokenFile = join(directory, 'token');
writeFileSync(tokenFile, `${TOKEN}\n`);

let answers: { status: number; body: unknown }[] = [];
let asked: { url: string; authorization: string | undefined }[] = [];
const server = createServer((request, response) => {
  asked.push({ url: request.url ?? '', authorization: request.headers.authorization });
  const { status, body } = answers.shift() ?? { status: 500, body: {} };
  response.writeHead(status, { 'content-type': 'application/json' }).end(JSON.stringify(body));
});
let origin = '';
beforeAll(async () => {
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  origin = `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
});
afterAll(() => void server.close());

async function timeline(...args: string[]) {
  asked = [];
  const [out, err]: [string[], string[]] = [[], []];
  const terminal = {
    out: (text: string) => void out.push(text),
    err: (text: string) => void err.push(text),
    clock: handClock(),
  };
  const code = await run(['timeline', '--broker', origin, '--token-file', tokenFile, ...args], terminal);
  return { code, out, err: err.join('\n') };
}

const entry = (at: string, more: object = {}) => ({
  seq: 1,
  at,
  type: 'credential.granted',
  by: 'lab:a',
  text: 'crd_1',
  ...more,
});

describe('mayfly timeline', () => {
  it('prints a line an entry, in columns, with times from the first, over all pages', async () => {
    answers = [
      {
        status: 200,
        body: { entries: [entry('2030-01-01T00:00:00.000Z', { purpose: 'triage', policies: ['a', 'b'] })], next: 7 },
      },
      { status: 200, body: { entries: [], next: 9 } },
      {
        status: 200,
        body: {
          entries: [entry('2030-01-01T00:03:07.000Z', { type: 'revocation.published', by: undefined, reason: 'odd' })],
        },
      },
    ];
    const { code, out } = await timeline('--task', 'tsk_1');
    expect([code, out]).toEqual([
      0,
      [
        'from 2030-01-01T00:00:00.000Z',
        '     +0.0s  credential.granted      lab:a                     crd_1: triage [policies: a, b]',
        '    +3m07s  revocation.published                              crd_1: odd',
      ],
    ]);
    expect(asked.map(({ url }) => url)).toEqual([
      '/timeline?task=tsk_1&limit=1000',
      '/timeline?task=tsk_1&limit=1000&after=7',
      '/timeline?task=tsk_1&limit=1000&after=9',
    ]);
    expect(asked[0]?.authorization).toBe(`Bearer ${TOKEN}`);
  });

  it('of a workload begins a day ago by default', async () => {
    answers = [0, 1].map(() => ({ status: 200, body: { entries: [] } }));
    expect((await timeline('--workload', 'lab:a')).out).toEqual(['Nothing happened.']);
    expect(asked[0]?.url).toContain('workload=lab%3Aa&from=2029-12-31T00%3A00%3A00.000Z');
    await timeline('--workload', 'lab:a', '--from', '2029-01-01T00:00:00Z');
    expect(asked[0]?.url).toContain('from=2029-01-01T00%3A00%3A00Z');
  });

  it('lets nobody forge a line, colour one, or turn its direction', async () => {
    answers = [
      {
        status: 200,
        body: { entries: [entry('2030-01-01T00:00:00.000Z', { text: 'a\n\u001b[31mb\u202ec', reason: 'x\r\u2028y' })] },
      },
    ];
    const { out } = await timeline('--task', 'tsk_1');
    expect(out[1]).toContain('a??[31mb?c: x??y');
  });

  it.each([
    [{ status: 403, body: { code: 'access_denied', detail: 'No.\nreally' } }, 'access_denied: No. really'],
    [{ status: 502, body: 'gateway' }, 'The broker answered 502.'],
    [{ status: 200, body: { entries: [{ at: 'now' }] } }, 'no answer of a broker'],
  ])('says what was wrong with %j', async (answer, said) => {
    answers = [answer];
    const { code, err } = await timeline('--task', 'tsk_1');
    expect([code, err]).toEqual([1, expect.stringContaining(said)]);
    expect(err).not.toContain(TOKEN);
  });

  it('does not ask for ever whoever answers with the same place again', async () => {
    answers = Array.from({ length: 9 }, () => ({ status: 200, body: { entries: [], next: 5 } }));
    await timeline('--task', 'tsk_1');
    expect(asked).toHaveLength(2);
  });

  it.each([
    [[], /Give --task/],
    [['--task', 'a', '--workload', 'b'], /cannot be used with/],
    [['--task', 'a', '--from', 'yesterday'], /written like/],
    [['--task', 'a', '--broker', 'http://mayfly.example'], /origin such as/],
    [['--task', 'a', '--token-file', '/nowhere'], /not a file/],
  ])('%j is refused before anybody is asked', async (args, said) => {
    const { code, err } = await timeline(...args);
    expect([code, asked]).toEqual([1, []]);
    expect(err).toMatch(said);
  });
});

it.each([
  [0, '+0.0s'],
  [59_949, '+59.9s'],
  [60_000, '+1m00s'],
  [7_500_000, '+2h05m'],
  [100_800_000, '+1d04h'],
  [-400, '-0.4s'],
])('%d ms is written %s', (ms, text) => {
  expect(sinceText(ms)).toBe(text);
});
