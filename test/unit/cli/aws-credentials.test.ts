import { afterEach, describe, expect, it } from '@jest/globals';
import { mkdtemp, writeFile } from 'node:fs/promises';
import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fetchCredentials } from '../../../src/cli/aws/credentials.js';
import { run } from '../../../src/cli/run.js';
import { handClock } from '../../support/clock.js';

const TARGET = 'arn:aws:iam::111122223333:role/jit/agent-exec';
const IDENTITY = 'eyJhbGciOiJFUzI1NiJ9.eyJzdWIiOiJhZ2VudC03In0.c2lnbmF0dXJl';
const ANSWER = {
  AccessKeyId: 'ASIAEXAMPLE',
  SecretAccessKey: 'secret-key',
  Token: 'session-token',
  Expiration: '2027-01-31T09:30:00Z',
};

let server: Server | undefined;
afterEach(() => {
  server?.closeAllConnections();
  server?.close();
});

/** What was asked, and the address to ask at. */
async function broker(answer: (request: IncomingMessage, response: ServerResponse) => void) {
  const asked: IncomingMessage[] = [];
  server = createServer((request, response) => {
    asked.push(request);
    answer(request, response);
  });
  await new Promise<void>((resolve) => server?.listen(0, '127.0.0.1', resolve));
  return { asked, url: `http://127.0.0.1:${(server.address() as AddressInfo).port}` };
}

const answering = (status: number, body: unknown) =>
  broker((_, response) => {
    response.writeHead(status, { 'Content-Type': 'application/json' }).end(JSON.stringify(body));
  });

async function tokenFile(text = IDENTITY): Promise<string> {
  const file = join(await mkdtemp(join(tmpdir(), 'mayfly-token-')), 'token');
  await writeFile(file, text);
  return file;
}

async function mayfly(...argv: string[]): Promise<{ code: number; out: string; err: string }> {
  const [out, err]: [string[], string[]] = [[], []];
  const terminal = { out: (text: string) => out.push(text), err: (text: string) => err.push(text), clock: handClock() };
  const code = await run(['aws-credentials', ...argv], terminal);
  return { code, out: out.join('\n'), err: err.join('\n') };
}

const asking = async (url: string, ...more: string[]) =>
  mayfly('--broker', url, '--target', TARGET, '--token-file', await tokenFile(), ...more);

describe('mayfly aws-credentials', () => {
  it('prints what credential_process takes, and nothing else', async () => {
    const { url } = await answering(200, { ...ANSWER, more: 'of no concern' });
    const { code, out, err } = await asking(url, '--task', 'tsk_1');
    expect({ code, err }).toEqual({ code: 0, err: '' });
    expect(JSON.parse(out)).toEqual({
      Version: 1,
      AccessKeyId: 'ASIAEXAMPLE',
      SecretAccessKey: 'secret-key',
      SessionToken: 'session-token',
      Expiration: '2027-01-31T09:30:00Z',
    });
  });

  it('asks for the target, with the identity as it is in the file', async () => {
    const { asked, url } = await answering(200, ANSWER);
    const access = JSON.stringify([{ type: 'aws_session', locations: [TARGET], identifier: '*', actions: ['s3:A'] }]);
    const file = await tokenFile(`${IDENTITY}\n`);
    const common = ['--broker', `${url}/`, '--target', TARGET, '--token-file', file];
    await mayfly(...common, '--task', 'tsk_1', '--access', access);
    await mayfly(...common, '--purpose', 'Sum & mary');
    const [first, second] = asked.map((request) => new URL(request.url ?? '', url));
    expect(first?.pathname).toBe('/aws/credentials/arn%3Aaws%3Aiam%3A%3A111122223333%3Arole%2Fjit%2Fagent-exec');
    expect(Object.fromEntries(first?.searchParams ?? [])).toEqual({ task: 'tsk_1', authorization_details: access });
    expect(Object.fromEntries(second?.searchParams ?? [])).toEqual({ purpose: 'Sum & mary' });
    expect(asked.map(({ method, headers }) => [method, headers.authorization])).toEqual([
      ['GET', IDENTITY],
      ['GET', IDENTITY],
    ]);
  });

  it("says the broker's code and message where it refuses, on standard error", async () => {
    const { url } = await answering(400, { code: 'access_denied', message: 'No policy permits it.' });
    expect(await asking(url, '--task', 'tsk_1')).toEqual({
      code: 1,
      out: '',
      err: 'access_denied: No policy permits it.',
    });
  });

  it('shows neither the token nor control and bidi characters that somebody answers with', async () => {
    const { url } = await answering(403, { code: 'echo', message: `you sent\n\u001b[2J\u202e${IDENTITY}` });
    expect(await asking(url, '--task', 'tsk_1')).toEqual({ code: 1, out: '', err: 'echo: you sent [2J …' });
  });

  it('follows no redirect: whoever it leads to would have the identity', async () => {
    const { asked, url } = await broker((_, response) => {
      response.writeHead(307, { Location: '/elsewhere' }).end();
    });
    expect(await asking(url, '--task', 'tsk_1')).toEqual({ code: 1, out: '', err: 'The broker answered 307.' });
    expect(asked).toHaveLength(1);
  });

  it.each([
    ['keys without a session', { ...ANSWER, Token: undefined }],
    ['no time', { ...ANSWER, Expiration: 'tomorrow' }],
    ['nothing', null],
  ])('prints nothing when answered with %s', async (_, body) => {
    const { url } = await answering(200, body);
    const { code, out, err } = await asking(url, '--task', 'tsk_1');
    expect({ code, out }).toEqual({ code: 1, out: '' });
    expect(err).toContain('something else than AWS credentials');
    expect(err).not.toMatch(/secret-key|session-token/);
  });

  it('says that nobody answers', async () => {
    const { url } = await answering(200, ANSWER);
    await new Promise((resolve) => server?.close(resolve));
    const { code, out, err } = await asking(url, '--task', 'tsk_1');
    expect({ code, out, err }).toEqual({ code: 1, out: '', err: `${url} did not answer: ECONNREFUSED.` });
  });

  it('does not wait for ever, neither for an answer nor for the rest of it', async () => {
    for (const begins of [false, true]) {
      const { url } = await broker((_, response) => {
        if (begins) response.writeHead(200).write('{');
      });
      await expect(fetchCredentials(new URL(url), IDENTITY, 50)).rejects.toThrow(
        `${url} did not answer: it took too long.`,
      );
      server?.closeAllConnections();
      server?.close();
    }
  });

  it.each([
    'http://mayfly.example',
    'ftp://127.0.0.1',
    'https://mayfly.example/path',
    'https://me:pw@mayfly.example',
    'mayfly',
  ])('sends the identity to no broker at %s', async (url) => {
    const { code, out, err } = await asking(url, '--task', 'tsk_1');
    expect({ code, out }).toEqual({ code: 1, out: '' });
    expect(err).toMatch(/^--broker is an origin such as https/);
  });

  it.each(['', 'one\ntwo', `${IDENTITY} `.repeat(2), 'Bearer\u00e9'])(
    'sends nothing that is no token: %j',
    async (text) => {
      const { asked, url } = await answering(200, ANSWER);
      const file = await tokenFile(text);
      const answer = await mayfly('--broker', url, '--target', TARGET, '--token-file', file, '--task', 'tsk_1');
      expect(answer).toEqual({ code: 1, out: '', err: `${file} does not hold a token and nothing else.` });
      expect(asked).toHaveLength(0);
    },
  );

  it('wants one task or one purpose, and a token file that is there', async () => {
    const { asked, url } = await answering(200, ANSWER);
    expect((await asking(url)).err).toBe('Give --task <id> or --purpose <text>.');
    expect((await asking(url, '--task', 'tsk_1', '--purpose', 'x')).err).toContain('cannot be used with');
    const missing = await mayfly('--broker', url, '--target', TARGET, '--token-file', '/nowhere', '--task', 'tsk_1');
    expect(missing).toEqual({ code: 1, out: '', err: '/nowhere is not a file that can be read.' });
    expect(asked).toHaveLength(0);
  });
});
