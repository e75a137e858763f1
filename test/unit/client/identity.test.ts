/** Where the client takes the identity of its process from. */
import { afterEach, describe, expect, it, jest } from '@jest/globals';
import { writeFileSync } from 'node:fs';
import { createServer, type RequestListener, type Server } from 'node:http';
import { createServer as createHttp2, type Http2Server, type ServerHttp2Stream } from 'node:http2';
import type { AddressInfo } from 'node:net';
import os from 'node:os';
import { join } from 'node:path';
import { fromAws, fromFile, fromGitHubActions, fromSpiffe, mayfly } from '../../../src/client/index.js';
import { temporaryDirectory } from '../../support/directory.js';

describe('fromFile()', () => {
  it('reads the file each time, and drops the newline that tools put at its end', async () => {
    const path = join(temporaryDirectory(), 'token');
    const identity = fromFile(path);
    writeFileSync(path, 'first\n');
    expect(await identity()).toBe('first');
    writeFileSync(path, 'second');
    expect(await identity()).toBe('second');
  });
});

describe('fromGitHubActions()', () => {
  it('asks with the bearer of the job for the audience, and not before every request', async () => {
    const asked: unknown[] = [];
    const url = await answering((request, response) => {
      asked.push([request.url, request.headers.authorization]);
      response.end('{"value":"job-token"}');
    });
    const env = {
      ACTIONS_ID_TOKEN_REQUEST_URL: `${url}/token?api-version=2`,
      ACTIONS_ID_TOKEN_REQUEST_TOKEN: 'runner',
    };
    const identity = fromGitHubActions('https://mayfly.example', env);
    expect(await identity()).toBe('job-token');
    expect(await identity()).toBe('job-token');
    expect(asked).toEqual([['/token?api-version=2&audience=https%3A%2F%2Fmayfly.example', 'Bearer runner']]);
  });

  it('asks once for many that want a token at the same time, and again after a failure', async () => {
    let calls = 0;
    const url = await answering((_request, response) => {
      calls += 1;
      response.writeHead(calls === 1 ? 500 : 200).end('{"value":"job-token"}');
    });
    const env = { ACTIONS_ID_TOKEN_REQUEST_URL: url, ACTIONS_ID_TOKEN_REQUEST_TOKEN: 'runner' };
    const identity = fromGitHubActions('https://mayfly.example', env);
    const failed = await Promise.allSettled([identity(), identity()]);
    expect(failed.map(({ status }) => status)).toEqual(['rejected', 'rejected']);
    expect(await Promise.all([identity(), identity()])).toEqual(['job-token', 'job-token']);
    expect(calls).toBe(2);
  });

  it('is asked again when the broker has refused a token that was kept', async () => {
    const tokens = ['refused', 'fresh'];
    const github = await answering((_request, response) => response.end(JSON.stringify({ value: tokens.shift() })));
    const broker = await answering((request, response) => {
      const isFresh = request.headers.authorization === 'Bearer fresh';
      response
        .writeHead(isFresh ? 201 : 401)
        .end(isFresh ? '{"id":"tsk_1"}' : '{"code":"invalid_token","retry":"never"}');
    });
    const env = { ACTIONS_ID_TOKEN_REQUEST_URL: github, ACTIONS_ID_TOKEN_REQUEST_TOKEN: 'runner' };
    const task = await mayfly({ url: broker, identity: fromGitHubActions('a', env) }).task({ purpose: 'triage' });
    expect(task.leave()).toBe('tsk_1');
    expect(tokens).toEqual([]);
  });

  it('says which permission is missing, and sends the bearer over no plain http', async () => {
    await expect(fromGitHubActions('https://mayfly.example', {})()).rejects.toThrow('id-token: write');
    const env = { ACTIONS_ID_TOKEN_REQUEST_URL: 'http://github.example/', ACTIONS_ID_TOKEN_REQUEST_TOKEN: 'runner' };
    await expect(fromGitHubActions('https://mayfly.example', env)()).rejects.toThrow('no https URL');
  });
});

describe('fromAws()', () => {
  it('asks STS for a token for the audience, and for another after two minutes', async () => {
    const getWebIdentityToken = jest.fn(() => Promise.resolve({ WebIdentityToken: 'role-token' }));
    const identity = fromAws({ getWebIdentityToken }, 'https://mayfly.example');
    expect([await identity(), await identity()]).toEqual(['role-token', 'role-token']);
    expect(getWebIdentityToken.mock.calls).toEqual([
      [{ Audience: ['https://mayfly.example'], SigningAlgorithm: 'ES384', DurationSeconds: 300 }],
    ]);
    const now = os.uptime();
    const clock = jest.spyOn(os, 'uptime').mockReturnValue(now + 121);
    await identity();
    clock.mockRestore();
    expect(getWebIdentityToken).toHaveBeenCalledTimes(2);
  });
});

describe('fromSpiffe()', () => {
  /** An agent that answers each call by these bytes (a gRPC frame, or none) and this status. */
  async function agent(frame: string, status: string) {
    const seen: { path?: unknown; header?: unknown; body: string }[] = [];
    const server = createHttp2();
    server.on('stream', (stream: ServerHttp2Stream, headers) => {
      const parts: Buffer[] = [];
      stream.on('data', (part: Buffer) => parts.push(part));
      stream.on('end', () => {
        const body = Buffer.concat(parts).toString('hex');
        seen.push({ path: headers[':path'], header: headers['workload.spiffe.io'], body });
        stream.respond({ ':status': 200, 'content-type': 'application/grpc' }, { waitForTrailers: true });
        stream.on('wantTrailers', () => stream.sendTrailers({ 'grpc-status': status }));
        stream.end(Buffer.from(frame, 'hex'));
      });
    });
    const path = join(temporaryDirectory(), 's');
    await listening(server, path);
    return { identity: fromSpiffe('https://m.example', `unix://${path}`), seen };
  }

  // A JWTSVIDResponse of workload.proto, {svids: [{spiffe_id: "spiffe://a/b", svid: "eyJ.x.y"}]}, behind the header of its gRPC frame.
  const ANSWER = '00000000190a170a0c7370696666653a2f2f612f6212076579' + '4a2e782e79';

  it('asks as the Workload API wants it, and returns the first SVID', async () => {
    const { identity, seen } = await agent(ANSWER, '0');
    expect(await identity()).toBe('eyJ.x.y');
    const body = '0000000013' + '0a11' + Buffer.from('https://m.example').toString('hex');
    expect(seen).toEqual([{ path: '/SpiffeWorkloadAPI/FetchJWTSVID', header: 'true', body }]);
  });

  it.each([
    ['no SVID', '0000000000', '0', 'gave no JWT-SVID'],
    ['half a message', '00000000190a17', '0', 'gave no JWT-SVID'],
    ['no message', '', '0', 'gave no JWT-SVID'],
    ['a refusal', '', '7', 'gRPC status 7'],
  ])('refuses %s', async (_what, frame, status, message) => {
    const { identity } = await agent(frame, status);
    await expect(identity()).rejects.toThrow(message);
  });

  it('says that nobody is there, and what a socket looks like', async () => {
    const nobody = fromSpiffe('https://m.example', `unix://${join(temporaryDirectory(), 'none')}`);
    await expect(nobody()).rejects.toThrow('cannot be reached');
    expect(() => fromSpiffe('https://m.example', '/run/spire/agent.sock')).toThrow('unix:///path');
  });
});

const servers: (Server | Http2Server)[] = [];
afterEach(() => servers.splice(0).forEach((server) => server.close()));

async function answering(answer: RequestListener): Promise<string> {
  const server = createServer(answer);
  await listening(server);
  return `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
}

async function listening(server: Server | Http2Server, path?: string): Promise<void> {
  servers.push(server);
  await new Promise<void>((resolve) => (path ? server.listen(path, resolve) : server.listen(0, '127.0.0.1', resolve)));
}
